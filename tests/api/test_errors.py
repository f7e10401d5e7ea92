"""Error catalogue: every code has a page in both languages, and the documentation is current."""

import re

import pytest
from django.conf import settings
from django.test import Client

from api import error_pages, problem_types
from api.problem_types import CATALOGUE, ProblemType
from tests.support import contract
from tests.support.members import words
from tests.support.programs import Program

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="texts, not SQL")]


def test_the_documentation_is_current() -> None:
    """Run `manage.py write_error_docs` if it is not."""
    assert (settings.BASE_DIR / "docs" / "errors.md").read_text(encoding="utf-8") == error_pages.document()


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_type_of_a_problem_is_the_address_of_its_page(code: str) -> None:
    pages = [
        Client().get(CATALOGUE[code].href, headers={"accept-language": language}) for language in ("en", "zh-hans")
    ]
    assert [page.status_code for page in pages] == [200, 200]
    english, chinese = (words(page.content.decode()) for page in pages)
    assert f"Code {code} HTTP status {CATALOGUE[code].status}" in english
    assert re.search("[\u4e00-\u9fff]{4}", chinese)
    assert "%(" not in english + chinese
    assert chinese != english


def test_all_errors_are_listed_and_others_have_no_page() -> None:
    page = Client().get("/api/v1/errors/").content.decode()
    assert all(f'href="{kind.href}"' in page for kind in CATALOGUE.values())
    assert Client().get("/api/v1/errors/no_such_code/").status_code == 404


def test_every_kind_of_error_is_in_the_catalogue() -> None:
    kinds = [kind for kind in vars(problem_types).values() if isinstance(kind, ProblemType)]
    assert {kind.code for kind in kinds} <= set(CATALOGUE)
    assert all(kind.code == code for code, kind in CATALOGUE.items())
    declared = contract.schema()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert declared == sorted(CATALOGUE)


def test_an_error_names_its_page_and_has_a_title_in_the_language(platform: Program) -> None:
    english = platform.get("offers/none/").body
    chinese = platform.get("offers/none/", **{"accept-language": "zh-hans"}).body
    assert (english["type"], english["title"]) == ("/api/v1/errors/not_found/", "Not found")
    assert (chinese["type"], chinese["code"], chinese["title"]) == (english["type"], "not_found", "未找到")
