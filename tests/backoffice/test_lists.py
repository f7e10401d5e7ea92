"""Lists of the workspace: chosen columns, days, saved views, exports and actions on selected rows."""

import csv
import io
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from campaigns.models import Decision, Grant
from core.lists import export, saved_views
from core.models import SavedView
from tests.support.operators import Staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
CLAIMS = "/admin/campaigns/decision/"
GRANTS = "/admin/campaigns/grant/"


def body(response: Any) -> bytes:
    return b"".join(response)


def table(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(response).decode("utf-8-sig"), newline="")))


def test_the_address_chooses_columns_in_its_order(staff: Staff, market: None) -> None:
    viewer = staff("vi", "viewer")
    page = viewer.get(f"{GRANTS}?columns=status,fee,password,status")
    assert [name for name in page.context["cl"].list_display if name != "action_checkbox"] == ["status", "fee"]
    assert viewer.get(f"{GRANTS}?columns=password").context["cl"].list_display[0] == "subject"
    several = viewer.get(f"{GRANTS}?columns=status&columns=fee&status__exact=settled")
    assert several.headers["Location"] == f"{GRANTS}?columns=status,fee&status__exact=settled"


def test_a_row_shows_the_name_and_the_code_of_its_merchant(staff: Staff, market: None) -> None:
    html = staff("vi", "viewer").get(f"{CLAIMS}?q=FM10").content.decode()
    assert f'<a href="{reverse("backoffice:merchant", args=["M1"])}">Merchant M1</a><small>M1</small>' in html
    assert f'<a href="{reverse("backoffice:explanation")}?q=FM10">' in html
    assert '<span class="pill pill-ok">Granted</span>' in html


@pytest.mark.parametrize(
    ("days", "rows"),
    [
        ("claimed_at__from=2022-09-12&claimed_at__to=2022-09-12", 3),
        ("claimed_at__from=2022-09-13", 6),
        ("claimed_at__to=2022-09-11", 3),
        ("claimed_at__from=2022-09-15", 0),
    ],
)
def test_days_include_both_ends_on_the_clock_of_the_reader(staff: Staff, market: None, days: str, rows: int) -> None:
    assert staff("vi", "viewer").get(f"{CLAIMS}?{days}").context["cl"].result_count == rows


@pytest.mark.parametrize("day", ["soon", "2022-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_filters_nothing(staff: Staff, market: None, day: str) -> None:
    page = staff("vi", "viewer").get(f"{CLAIMS}?claimed_at__from={day}")
    assert (page.status_code, page.headers["Location"]) == (302, f"{CLAIMS}?e=1")
    export_of_it = staff("vi", "viewer").get(f"{CLAIMS}export.csv?claimed_at__from={day}")
    assert (export_of_it.status_code, export_of_it.headers["Location"]) == (302, f"{CLAIMS}?e=1")


def test_an_export_has_the_rows_and_columns_of_the_page(staff: Staff, market: None) -> None:
    viewer = staff("vi", "viewer")
    query = "status__exact=settled&columns=subject,merchant,status,amount&o=0"
    answer = viewer.get(f"{GRANTS}export.csv?{query}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="grant.csv"'
    heads, *rows = table(answer)
    assert heads == ["subject", "merchant", "merchant (name)", "status", "amount", "amount (currency)"]
    assert rows[0] == ["FM10", "M1", "Merchant M1", "settled", "100.00", "CNY"]
    assert len(rows) == 6
    sheet = load_workbook(io.BytesIO(body(viewer.get(f"{GRANTS}export.xlsx?{query}")))).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]] == ["FM10", "M1", "Merchant M1", "settled", 100, "CNY"]
    assert sheet.max_row == 7


def test_an_export_reads_the_names_of_merchants_in_chunks(
    staff: Staff, market: None, django_assert_num_queries: object
) -> None:
    viewer = staff("vi", "viewer")
    with django_assert_num_queries(10):  # type: ignore[operator]  # session, user, clock, rights; rows, offers, merchants
        body(viewer.get(f"{CLAIMS}export.csv"))


def test_a_list_that_is_too_long_is_not_exported(staff: Staff, market: None, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = staff("vi", "viewer")
    monkeypatch.setattr(export, "MOST_ROWS", Grant.objects.count())
    assert len(table(viewer.get(f"{GRANTS}export.csv"))) == 7
    monkeypatch.setattr(export, "MOST_ROWS", Grant.objects.count() - 1)
    refused = viewer.get(f"{GRANTS}export.csv?status__exact=settled&columns=subject", follow=True)
    assert refused.redirect_chain == [(f"{GRANTS}?status__exact=settled&columns=subject", 302)]
    assert "This list has more than 5 rows." in refused.content.decode()


def test_an_export_needs_the_right_to_view_and_a_known_form(staff: Staff, market: None) -> None:
    assert staff("nobody").get(f"{GRANTS}export.csv").status_code == 403
    viewer = staff("vi", "viewer")
    assert viewer.get(f"{GRANTS}export.pdf").status_code == 404
    assert viewer.get(f"{GRANTS}export.csv?merchant__name__startswith=M").status_code == 400


def test_a_saved_view_is_a_tab_of_its_owner(staff: Staff, market: None) -> None:
    ana, ben = staff("ana", "operator"), staff("ben", "viewer")
    sent = {"name": "Mine", "query": "p=2&status__exact=settled&columns=subject,status"}
    answer = ana.post(f"{GRANTS}views/save/", sent)
    assert answer.headers["Location"] == f"{GRANTS}?status__exact=settled&columns=subject,status"
    tabs = [tab["label"] for tab in _tabs(ana)]
    assert "Mine" in tabs
    assert "Mine" not in [tab["label"] for tab in _tabs(ben)]
    ana.post(f"{GRANTS}views/save/", {**sent, "query": "status__exact=revoked", "is_shared": "on"})
    assert [(v.query, v.is_shared) for v in SavedView.objects.all()] == [("status__exact=revoked", True)]
    [shared] = [tab for tab in _tabs(ben) if tab["label"] == "Mine"]
    assert shared["pk"] is None  # others use it, and cannot delete it


def test_only_the_owner_deletes_a_view(staff: Staff, market: None) -> None:
    ana, ben = staff("ana", "operator"), staff("ben", "viewer")
    ana.post(f"{GRANTS}views/save/", {"name": "Mine", "query": "", "is_shared": "on"})
    pk = SavedView.objects.get().pk
    assert ben.post(f"{GRANTS}views/{pk}/delete/").status_code == 404
    assert ana.post(f"{CLAIMS}views/{pk}/delete/").status_code == 404  # of another list
    assert ana.get(f"{GRANTS}views/{pk}/delete/").status_code == 302
    assert SavedView.objects.count() == 1
    ana.post(f"{GRANTS}views/{pk}/delete/")
    assert not SavedView.objects.exists()


def test_views_are_bounded_and_named(staff: Staff, market: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = staff("ana", "viewer")
    monkeypatch.setattr(saved_views, "MOST_OF_A_PERSON", 1)
    ana.post(f"{GRANTS}views/save/", {"name": "", "query": ""})
    assert not SavedView.objects.exists()
    ana.post(f"{GRANTS}views/save/", {"name": "one", "query": ""})
    ana.post(f"{GRANTS}views/save/", {"name": "two", "query": ""})
    assert [view.name for view in SavedView.objects.all()] == ["one"]
    ana.post(f"{GRANTS}views/save/", {"name": "one", "query": "status__exact=settled"})  # the same one again
    assert SavedView.objects.get().query == "status__exact=settled"
    assert staff("nobody").post(f"{GRANTS}views/save/", {"name": "x", "query": ""}).status_code == 403


def test_a_list_costs_a_fixed_number_of_queries(staff: Staff, market: None, django_assert_num_queries: object) -> None:
    viewer = staff("vi", "viewer")
    viewer.get(CLAIMS)
    assert Decision.objects.count() == 12
    with django_assert_num_queries(11):  # type: ignore[operator]
        viewer.get(CLAIMS)


def _tabs(browser: object) -> list[dict[str, object]]:
    page = browser.get(GRANTS)  # type: ignore[attr-defined]
    context = next(part for part in page.context if "tabs" in part)
    return list(context["tabs"])
