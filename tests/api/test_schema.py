"""OpenAPI schema: valid, complete, and shown without other servers."""

from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from api import urls


def test_the_schema_is_valid_and_complete() -> None:
    answer = Client().get("/api/v1/schema/")
    schema = YAML(typ="safe").load(answer.content)
    validate(schema)
    assert schema["openapi"].startswith("3.1")
    assert len(schema["paths"]) == len(urls.urlpatterns) - 2  # all but the page that shows it and the one for none
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_the_documentation_page_needs_no_other_server() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert "https://" not in page
