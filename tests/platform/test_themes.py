"""Light or dark: chosen on one device, written into the page by the server, for both doors."""

import pytest
from django.test import Client

from tests.support.operators import Staff, market, staff  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("chosen", "element"),
    [("dark", ' data-theme="dark">'), ("light", ' data-theme="light">'), ("system", ">"), ("purple", ">")],
)
def test_the_page_has_the_chosen_theme(staff: Staff, market: None, chosen: str, element: str) -> None:  # noqa: F811
    browser = staff("ana", "operator")
    answer = browser.post("/theme/", {"theme": chosen, "next": "/admin/campaigns/"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/campaigns/")
    assert f'<html lang="en"{element}' in browser.get("/admin/campaigns/").content.decode()


def test_it_leads_nowhere_else_and_takes_only_forms(db: None) -> None:
    assert Client().post("/theme/", {"theme": "dark", "next": "https://evil.example/"}).headers["location"] == "/"
    assert Client().get("/theme/").status_code == 405
