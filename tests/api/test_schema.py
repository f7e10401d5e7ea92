"""OpenAPI schema: valid, complete, and shown without other servers."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from api import urls
from api.views import schema


def test_the_schema_is_valid_and_complete() -> None:
    answer = Client().get("/api/v1/schema/")
    document = YAML(typ="safe").load(answer.content)
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) == len(urls.urlpatterns) - 2  # all but the page that shows it and the one for none
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_the_documentation_page_needs_no_other_server() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert "https://" not in page


@pytest.mark.django_db
def test_the_schema_is_generated_once_for_each_language_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    schema.rendered.cache_clear()
    generated: list[object] = []
    generate: Any = SchemaGenerator.get_schema

    def get_schema(generator: object, **options: object) -> Any:
        generated.append(generator)
        return generate(generator, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", get_schema)
    client = Client()
    wanted = [("en", "json"), ("zh-hans", "json"), ("en", "yaml"), ("no-such-language", "json")]
    for n in range(3):
        for language, form in wanted:
            accepted = f"application/vnd.oai.openapi{'+json' if form == 'json' else ''}"
            answer = client.get(f"/api/v1/schema/?lang={language}&n={n}", headers={"accept": accepted})
            assert (answer.status_code, answer.headers["content-type"]) == (200, accepted)
            assert answer.content == schema.rendered(*key_of(language, form))
    assert len(generated) == 3


def key_of(language: str, form: str) -> tuple[Any, str]:
    renderer = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}[form]
    return renderer, language if language in ("en", "zh-hans") else "en"
