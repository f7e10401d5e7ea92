"""Error pages: friendly, in the reader's language, with a reference that the log has too."""

import logging
from re import search

import pytest
from django.test import Client
from pytest_django import Settings

from merchants.models import Member
from tests.support.members import client, text, words

pytestmark = pytest.mark.django_db


def reference(page: str) -> str:
    found = search(r"Reference for support: ([0-9a-f]{8})", page)
    assert found, page
    return found[1]


def test_a_merchant_at_the_operators_pages_is_told_so(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    response = client(owner).get("/admin/", follow=True)
    assert response.status_code == 403
    page = words(response.content.decode())
    assert "This page belongs to the operators of the platform. Your benefits are here: Home" in page
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("path", "status"), [("/nothing/", 404), ("/messages/read/", 405), ("/team/1/disable/", 405)])
def test_an_error_page_has_a_reference_that_the_log_has_too(
    owner: Member, caplog: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    page = text(client(owner), path, status)
    assert "Home" in page
    [line] = [line for line in caplog.messages if "reference" in line]
    assert reference(page) in line
    assert path not in line


def test_a_405_names_the_methods_that_are_allowed(owner: Member) -> None:
    response = client(owner).get("/messages/read/")
    assert response.headers["Allow"] == "POST"
    assert "This address only takes a form or a button of another page." in response.content.decode()


def test_a_refusal_has_a_page_and_no_traceback_in_the_log(mate: Member, caplog: pytest.LogCaptureFixture) -> None:
    page = text(client(mate), "/team/", 403)
    assert "Access denied" in page
    assert reference(page) in caplog.text
    formatted = [logging.Formatter().format(record) for record in caplog.records]
    assert not any("Traceback" in line for line in formatted)


def test_a_fault_has_a_page_with_a_reference(
    owner: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("campaigns.eligibility.merchant_status.statuses", fail)
    browser = client(owner)
    browser.raise_request_exception = False
    page = text(browser, "/", 500)
    assert "Something went wrong" in page
    assert "secret" not in page
    assert reference(page) in caplog.text
    assert "secret of the house" in caplog.text  # with its traceback


def test_a_form_without_its_token_has_a_page(owner: Member) -> None:
    browser = client(owner, enforce_csrf_checks=True)
    page = browser.post("/messages/read/")
    assert page.status_code == 403
    assert "The form has expired, so nothing was changed." in page.content.decode()


def test_in_chinese(owner: Member) -> None:
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    assert "页面不存在" in text(browser, "/nothing/", 404)
    assert "客服查询编号" in text(browser, "/nothing/", 404)


def test_programs_get_their_own_format(settings: Settings) -> None:
    for method, path in (("get", "/api/v1/claims/"), ("get", "/api/v1/nothing/")):
        response = getattr(Client(), method)(path)
        assert response.headers["Content-Type"] == "application/problem+json"
