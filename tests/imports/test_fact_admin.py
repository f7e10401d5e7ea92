"""Admin pages of facts: lists, permissions and exports. Facts are never edited by hand."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.lists import export as core_export
from core.spreadsheets import escape_formula, to_cell
from imports.admin import FactAdmin
from imports.registry import all_schemas
from merchants.models import Account, Merchant
from tests.support.importing import ORDER, import_text, merchants, order

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = "/admin/logistics/freightorder/"
MERCHANTS = "/admin/merchants/merchant/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def test_every_file_schema_has_admin_pages_and_nobody_edits_facts(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    for schema in all_schemas():
        assert isinstance(admin.site.get_model_admin(schema.model), FactAdmin)
        address = f"/admin/{schema.model._meta.app_label}/{schema.model._meta.model_name}/"
        assert operator.get(address, {"q": "M1"}).status_code == 200
        assert operator.get(f"{address}import/").status_code == 200
        assert operator.get(f"{address}add/").status_code == 403
    assert operator.get(f"{MERCHANTS}M1/change/").status_code == 200
    assert operator.post(f"{MERCHANTS}M1/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"{MERCHANTS}M1/delete/", {"post": "yes"}).status_code == 403
    assert operator.get("/admin/imports/importbatch/").status_code == 200
    assert Merchant.objects.get(pk="M1").name == ""


def test_importing_needs_the_add_permission_and_exporting_the_view_permission(client: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_account"))
    client.force_login(clerk)
    assert client.get("/admin/merchants/account/").status_code == 200
    assert client.get("/admin/merchants/account/export/").status_code == 200
    assert client.get("/admin/merchants/account/import/").status_code == 403
    assert client.post("/admin/merchants/account/import/").status_code == 403
    assert client.get(f"{MERCHANTS}export/").status_code == 403


def test_a_list_needs_as_many_queries_for_many_rows_as_for_few(operator: Client, tmp_path: Path) -> None:
    codes = [f"M{number}" for number in range(40)]
    merchants(tmp_path, *codes)
    counts = []
    for most in (1, 40):
        lines = "".join(order(f"F{code}", merchant=code) for code in codes[:most])
        assert import_text("freight_orders", ORDER + lines, tmp_path).result.succeeded
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(ORDERS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


HARMLESS = ["plain", 'a "quoted", cell', "'x"]
DANGEROUS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    "=1+1\n2",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    " =1",
]
DANGEROUS += HARMLESS


def test_text_is_stored_unchanged_and_exported_without_formulas(operator: Client, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["merchant_code", "name"], *([f"M{n}", name] for n, name in enumerate(DANGEROUS))])
    assert import_text("merchants", out.getvalue(), tmp_path).result.succeeded
    assert sorted(Merchant.objects.values_list("name", flat=True)) == sorted(DANGEROUS)
    expected = [name if name in HARMLESS else f"'{name}" for name in DANGEROUS]

    content = export(operator, MERCHANTS, "0")
    assert content.startswith(
        b"\xef\xbb\xbfmerchant_code,name,name_en,country,category_l1,category_l2,logistics_partner\r\n"
    )
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert sorted(row["name"] for row in rows) == sorted(expected)

    [_header, *cells] = openpyxl.load_workbook(io.BytesIO(export(operator, MERCHANTS, "1"))).worksheets[0].rows
    assert {row[1].data_type for row in cells} == {"s"}
    # XML has no carriage return of its own: a workbook escapes it.
    assert sorted(str(row[1].value).replace("_x000D_", "\r") for row in cells) == sorted(expected)


def export(client: Client, address: str, kind: str) -> bytes:
    return client.post(f"{address}export/", {"format": kind, "resource": "0"}).content


def test_numbers_stay_numbers_and_an_export_can_be_imported_again(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    lines = order("F1", freight="1234567890.10", placed="2022-09-05T15:00:00.5+08:00") + order("F2")
    import_text("freight_orders", ORDER + lines, tmp_path)
    sheets = openpyxl.load_workbook(io.BytesIO(export(operator, ORDERS, "1"))).worksheets[0]
    assert {row[5].value for row in sheets.iter_rows(min_row=2)} == {1234567890.1, 1}
    assert {row[5].data_type for row in sheets.iter_rows(min_row=2)} == {"n"}
    for kind, suffix in (("0", ".csv"), ("1", ".xlsx")):
        again = import_text("freight_orders", export(operator, ORDERS, kind), tmp_path, suffix=suffix)
        assert (again.errors, again.counts) == ([], (0, 0, 2))


def test_an_export_has_the_rows_of_the_filtered_list(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    import_text("accounts", "account_code,merchant_code,role\nA1,M1,main\nA2,M2,sub\n", tmp_path)
    response = operator.post("/admin/merchants/account/export/?role__exact=sub", {"format": "0", "resource": "0"})
    assert response.content.decode("utf-8-sig") == "account_code,merchant_code,role\r\nA2,M2,sub\r\n"
    assert "attachment" in response["Content-Disposition"]
    assert Account.objects.count() == 2


def test_an_export_has_a_bounded_number_of_rows(
    operator: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is made in memory, and a table of facts has millions of rows."""
    merchants(tmp_path, "M1", "M2", "M3")
    monkeypatch.setattr(core_export, "MOST_ROWS", 2)
    refused = operator.post(f"{MERCHANTS}export/", {"format": "0", "resource": "0"})
    assert "Content-Disposition" not in refused
    assert "This list has more than 2 rows" in refused.content.decode()
    assert b"M3" in operator.post(f"{MERCHANTS}export/?q=M3", {"format": "0", "resource": "0"}).content


def test_a_forged_choice_of_rows_reads_no_keys(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path, *(f"M{number}" for number in range(40)))
    with CaptureQueriesContext(connection) as queries:
        page = operator.post(f"{MERCHANTS}export/", {"format": "0", "resource": "0", "export_items": ["M1"]})
    assert "Content-Disposition" not in page
    assert not [query for query in queries.captured_queries if f'FROM "{Merchant._meta.db_table}"' in query["sql"]]


def test_only_text_is_escaped() -> None:
    assert [escape_formula(text) for text in ("", "a=1", "=1", "'=1", "'x")] == ["", "a=1", "'=1", "''=1", "'x"]
    assert (to_cell(-1), to_cell(True), to_cell(None)) == (-1, 1, "")
