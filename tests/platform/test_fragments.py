"""Requests for a part of a page, as htmx sends them."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/admin/", "/admin/offers/ten/", "/", "/orders/"])
def test_a_part_of_a_page_is_refused_and_a_page_is_redirected_to_the_sign_in(path: str, client: Client) -> None:
    page = client.get(path)
    assert page.status_code == 302
    part = client.get(path, headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert part.content == b""
    assert "Location" not in part.headers


def test_other_redirects_stay(client: Client) -> None:
    response = client.get("/admin", headers={"HX-Request": "true"})
    assert response.status_code == 301
