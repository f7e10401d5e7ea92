"""Error pages: friendly, in the reader's language, with a reference that the log has too."""

import logging
from re import search

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries as Queries
from pytest_django import Settings

from config import error_views
from config.middleware import refusal_pages
from merchants.models import Member
from tests.support.members import client, text, words

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="what a page shows")]


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
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
    requests = (
        ("GET", "/api/v1/claims/", "testserver", 401),
        ("GET", "/api/v1/nothing/", "testserver", 404),
        ("GET", "/api/v2/offers/", "testserver", 404),
        ("GET", "/api/v1/offers/", "another.example", 400),
        ("GET", "/api/v1/offers/?x=%00", "testserver", 400),
        ("TRACE", "/api/v1/offers/", "testserver", 405),
        ("BREW", "/api/v1/offers/", "testserver", 405),
    )
    for method, path, host, status in requests:
        response = Client().generic(method, path, headers={"host": host})
        assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert b"another.example" not in Client().get("/api/v1/offers/", headers={"host": "another.example"}).content


@pytest.mark.parametrize(
    ("status", "english", "chinese"),
    [
        (400, "This request cannot be read", "无法读取此请求"),
        (403, "Access denied", "无权访问"),
        (404, "Page not found", "页面不存在"),
        (405, "Not a page", "无法直接打开"),
        (413, "Too large", "内容过大"),
        (429, "Too many requests", "请求过多"),
        (500, "Something went wrong", "出现错误"),
        (503, "Temporarily unavailable", "暂时无法访问"),
    ],
)
def test_each_page_is_in_the_readers_language_and_colours_and_reads_no_database(
    status: int, english: str, chinese: str, caplog: pytest.LogCaptureFixture, django_assert_num_queries: Queries
) -> None:
    request = RequestFactory().get("/admin/offers/x/", headers={"cookie": "theme=dark; django_language=zh-hans"})
    with django_assert_num_queries(0):
        page = error_views.page(request, status, most=1_000_000 if status == 413 else 0).content.decode()
        plain = error_views.page(RequestFactory().get("/orders/"), status).content.decode()
    assert f"<h1>{chinese}</h1>" in page
    assert '<html lang="zh-hans" data-theme="dark">' in page
    assert 'href="/admin/"' in page
    assert f"<h1>{english}</h1>" in plain
    assert '<html lang="en">' in plain
    assert 'href="/"' in plain
    assert "%(" not in page
    found = search(r"客服查询编号：([0-9a-f]{8})", words(page))
    assert found
    assert f"{status}, reference {found[1]}" in caplog.text


def test_the_pages_of_the_server_offer_to_try_again() -> None:
    for status in (500, 503):
        page = error_views.page(RequestFactory().get("/admin/campaigns/?q=1"), status).content.decode()
        assert 'href="/admin/campaigns/?q=1">Try again' in page
    assert "Try again</a>" not in error_views.page(RequestFactory().post("/admin/campaigns/"), 500).content.decode()


def test_a_form_that_is_too_large_has_a_page(owner: Member, settings: Settings) -> None:
    response = client(owner).post("/account/", {"zone": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    assert response.status_code == 413
    page = words(response.content.decode())
    assert "larger than 2.5 MB" in page
    assert reference(page)


def test_unusable_input_has_a_page(owner: Member) -> None:
    response = client(owner).get("/orders/?q=%00")
    assert response.status_code == 400
    assert "This request cannot be read" in response.content.decode()


def test_an_empty_429_for_people_has_a_page() -> None:
    refused = HttpResponse(status=429, headers={"Retry-After": "60"})
    answer = refusal_pages(lambda _request: refused)(RequestFactory().get("/sign-in/"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert b"Too many requests" in answer.content  # type: ignore[attr-defined]  # a page has content


def test_a_database_that_does_not_answer_has_a_page_with_a_reference(
    owner: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr("campaigns.eligibility.merchant_status.statuses", fail)
    browser = client(owner)
    browser.raise_request_exception = False
    page = text(browser, "/", 503)
    assert "Temporarily unavailable" in page
    assert f"503, reference {reference(page)}" in caplog.text
