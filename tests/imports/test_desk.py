"""Facts in the admin: B8, and the doors: looked at by those who may, never edited, imported after a rehearsal."""

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.spreadsheets import escape_formula, to_cell
from imports.admin import FactAdmin
from imports.models import ImportBatch
from imports.registry import all_schemas
from logistics.models import FreightOrder
from merchants.models import Account, Merchant
from tests.support.importing import ORDER, import_text, merchants, order
from tests.support.workbooks import number, row, sheet, text, workbook

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = "/admin/logistics/freightorder/"
MERCHANTS = "/admin/merchants/merchant/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def upload(client: Client, address: str, content: bytes, name: str = "facts.csv") -> HttpResponse:
    kind = "0" if name.endswith(".csv") else "1"
    form = {"import_file": SimpleUploadedFile(name, content), "format": kind, "resource": "0"}
    return client.post(f"{address}import/", form)  # type: ignore[return-value]


def confirm(client: Client, address: str, preview: HttpResponse) -> HttpResponse:
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', preview.content.decode()))
    return client.post(f"{address}process_import/", form, follow=True)  # type: ignore[return-value]


def errors(page: HttpResponse) -> list[str]:
    return re.findall(r'display-message">(.*?)</div>', page.content.decode())


def test_every_kind_of_fact_has_a_desk_and_nobody_edits(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    for file in all_schemas():
        desk = admin.site.get_model_admin(file.model)
        assert isinstance(desk, FactAdmin)
        address = f"/admin/{file.model._meta.app_label}/{file.model._meta.model_name}/"
        assert operator.get(address, {"q": "M1"}).status_code == 200
        assert operator.get(f"{address}import/").status_code == 200
        assert operator.get(f"{address}add/").status_code == 403
    assert operator.get(f"{MERCHANTS}M1/change/").status_code == 200
    assert operator.post(f"{MERCHANTS}M1/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"{MERCHANTS}M1/delete/", {"post": "yes"}).status_code == 403
    assert operator.get("/admin/imports/importbatch/").status_code == 200
    assert Merchant.objects.get(pk="M1").name == ""


def test_S3_importing_needs_the_right_to_add_and_exporting_the_right_to_look(client: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_account"))
    client.force_login(clerk)
    assert client.get("/admin/merchants/account/").status_code == 200
    assert client.get("/admin/merchants/account/export/").status_code == 200
    assert client.get("/admin/merchants/account/import/").status_code == 403
    assert client.post("/admin/merchants/account/process_import/").status_code == 403
    assert client.get(f"{MERCHANTS}export/").status_code == 403


def test_a_list_asks_as_often_for_many_rows_as_for_few(operator: Client, tmp_path: Path) -> None:
    codes = [f"M{number}" for number in range(40)]
    merchants(tmp_path, *codes)
    counts = []
    for most in (1, 40):
        lines = "".join(order(f"F{code}", merchant=code) for code in codes[:most])
        assert import_text("freight_orders", ORDER + lines, tmp_path).outcome.taken
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(ORDERS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_upload_is_rehearsed_and_then_taken(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    content = (ORDER + order("F1") + order("F2")).encode()
    preview = upload(operator, ORDERS, content)
    assert "Facts.csv: 2 new, 0 changed, 0 unchanged, 0 in the future" in preview.content.decode()
    assert not FreightOrder.objects.exists()
    done = confirm(operator, ORDERS, preview)
    assert "Facts.csv: 2 new, 0 changed, 0 unchanged, 0 in the future" in done.content.decode()
    batch = ImportBatch.objects.get(source="facts.csv")
    assert list(FreightOrder.objects.values_list("pk", "batch")) == [("F1", batch.pk), ("F2", batch.pk)]
    assert LogEntry.objects.get().object_id == str(batch.pk)
    again = confirm(operator, ORDERS, preview)
    assert "This upload is not there any more" in again.content.decode()
    assert ImportBatch.objects.filter(source="facts.csv").count() == 1


def test_what_became_wrong_before_the_confirmation_is_refused_then(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    preview = upload(operator, ORDERS, (ORDER + order("F1", merchant="M2")).encode())
    Merchant.objects.filter(pk="M2").delete()
    done = confirm(operator, ORDERS, preview)
    assert "Facts.csv line 2, merchant_code &quot;M2&quot;: unknown merchant M2" in done.content.decode()
    assert not FreightOrder.objects.exists()


def test_B3_B5_an_upload_with_errors_names_them_and_offers_no_confirmation(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    page = upload(operator, ORDERS, (ORDER + order("F1", merchant="M9", freight="1.00") + order("F1")).encode())
    assert errors(page) == [
        "Line number: 3 - order_no &quot;F1&quot;: stands in line 2 already",
        "Line number: 2 - merchant_code &quot;M9&quot;: unknown merchant M9",
    ]
    assert "process_import" not in page.content.decode()
    page = upload(operator, MERCHANTS, b"merchant_code,nmae\n<b>,x\n")
    assert errors(page) == ["Line number: 1 - nmae &quot;nmae&quot;: unknown column"]
    assert (Merchant.objects.count(), FreightOrder.objects.count()) == (2, 0)


def test_B4_an_upload_of_gb18030_and_one_that_cannot_be_read(operator: Client) -> None:
    content = "merchant_code,name\nM1,杭州\n"
    confirm(operator, MERCHANTS, upload(operator, MERCHANTS, content.encode("gb18030")))
    assert Merchant.objects.get().name == "杭州"
    page = upload(operator, MERCHANTS, content.encode("utf-16"))
    assert errors(page) == ["Line number: 0 - is UTF-16 or UTF-32: save it as CSV in UTF-8"]


def test_B6_an_uploaded_workbook_and_a_bomb(operator: Client) -> None:
    rows = row(1, text("A1", "merchant_code")) + row(2, number("A2", "123"))
    confirm(operator, MERCHANTS, upload(operator, MERCHANTS, workbook(sheet(rows)), "facts.xlsx"))
    assert Merchant.objects.get().code == "123"
    page = upload(operator, MERCHANTS, b"PK\x03\x04 and no more", "facts.xlsx")
    assert errors(page) == ["Line number: 0 - is not a workbook that can be read: save it as .xlsx or CSV"]


def test_S8_what_a_file_says_is_shown_and_not_run(operator: Client) -> None:
    page = upload(operator, MERCHANTS, b"merchant_code,country\nM1,<script>alert(1)</script>\n", "<b>.csv")
    assert "&lt;script&gt;" in errors(page)[0]
    assert "<script>alert" not in page.content.decode()


DANGEROUS = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "\rx", "=1+1\n2", "plain", 'a "quoted", cell', "'x"]


def test_B8_text_is_stored_as_it_is_and_exported_so_that_nothing_runs(operator: Client, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["merchant_code", "name"], *([f"M{n}", name] for n, name in enumerate(DANGEROUS))])
    assert import_text("merchants", out.getvalue(), tmp_path).outcome.taken
    assert list(Merchant.objects.order_by("pk").values_list("name", flat=True)) == DANGEROUS
    expected = [f"'{name}" if name[0] in "=+-@\t\r" else name for name in DANGEROUS]

    content = export(operator, MERCHANTS, "0")
    assert content.startswith(
        b"\xef\xbb\xbfmerchant_code,name,name_en,country,category_l1,category_l2,logistics_partner\r\n"
    )
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert sorted(row["name"] for row in rows) == sorted(expected)

    [_header, *cells] = openpyxl.load_workbook(io.BytesIO(export(operator, MERCHANTS, "1"))).worksheets[0].rows
    assert {row[1].data_type for row in cells} == {"s"}
    # XML has no carriage return of its own: a reader sees a new line.
    assert sorted(str(row[1].value).replace("\r", "\n") for row in cells) == sorted(
        name.replace("\r", "\n") for name in expected
    )


def export(client: Client, address: str, kind: str) -> bytes:
    return client.post(f"{address}export/", {"format": kind, "resource": "0"}).content


def test_B8_numbers_stay_numbers_and_an_export_can_be_taken_again(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    lines = order("F1", freight="1234567890.10", placed="2022-09-05T15:00:00.5+08:00") + order("F2")
    import_text("freight_orders", ORDER + lines, tmp_path)
    sheets = openpyxl.load_workbook(io.BytesIO(export(operator, ORDERS, "1"))).worksheets[0]
    assert {row[5].value for row in sheets.iter_rows(min_row=2)} == {1234567890.1, 1}
    assert {row[5].data_type for row in sheets.iter_rows(min_row=2)} == {"n"}
    for kind, suffix in (("0", ".csv"), ("1", ".xlsx")):
        again = import_text("freight_orders", export(operator, ORDERS, kind), tmp_path, suffix=suffix)
        assert (again.complaints, again.counts) == ([], (0, 0, 2))


def test_an_export_is_what_the_list_shows(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    import_text("accounts", "account_code,merchant_code,role\nA1,M1,main\nA2,M2,sub\n", tmp_path)
    response = operator.post("/admin/merchants/account/export/?role__exact=sub", {"format": "0", "resource": "0"})
    assert response.content.decode("utf-8-sig") == "account_code,merchant_code,role\r\nA2,M2,sub\r\n"
    assert "attachment" in response["Content-Disposition"]
    assert Account.objects.count() == 2


def test_B8_only_text_is_defused() -> None:
    assert [escape_formula(text) for text in ("", "a=1", "=1", "'=1")] == ["", "a=1", "'=1", "'=1"]
    assert (to_cell(-1), to_cell(True), to_cell(None)) == (-1, 1, "")


def test_a_template_is_taken_as_soon_as_it_is_filled_in(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    answer = operator.get(f"{ORDERS}template/")
    assert "freight_orders.xlsx" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page, notes = book.worksheets
    columns = [head.value for head in page[1]]
    assert page["A1"].fill.fgColor.rgb.endswith("FFF2CC")  # required
    assert any(rule.formula1 == '"yes,no"' for rule in page.data_validations.dataValidation)
    assert [row[0].value for row in notes.iter_rows(min_row=2)] == columns
    filled = {
        "order_no": "F9",
        "merchant_code": "M1",
        "service": "express",
        "line": "x",
        "base_freight": 10,
        "currency": "CNY",
    }
    page.append([filled.get(name) for name in columns])
    out = io.BytesIO()
    book.save(out)
    confirm(operator, ORDERS, upload(operator, ORDERS, out.getvalue(), "mine.xlsx"))
    assert FreightOrder.objects.get().order_no == "F9"


def test_rejected_rows_come_back_with_what_is_wrong_beside_them(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    rows = ["F1,M1,express,x,10,CNY,", "F2,M1,rocket,x,1e3,CNY,", "F3,NOBODY,express,x,5,CNY,"]
    content = ORDER + "\n".join(rows)
    form = {"import_file": SimpleUploadedFile("facts.csv", content.encode()), "format": "0", "rejected": "1"}
    answer = operator.post(f"{ORDERS}import/", form)
    found = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert found[0] == [*ORDER.strip().split(","), "error"]
    assert [row[:-1] for row in found[1:]] == [row.split(",") for row in rows[1:]]
    assert "rocket" in found[1][-1]
    assert "1e3" in found[1][-1]
    assert not FreightOrder.objects.exists()
    assert not ImportBatch.objects.filter(source="facts.csv").exists()


def test_a_file_without_a_mistake_has_no_rejected_rows(operator: Client, tmp_path: Path) -> None:
    merchants(tmp_path)
    content = f"{ORDER}F1,M1,express,x,10,CNY,\n".encode()
    form = {"import_file": SimpleUploadedFile("facts.csv", content), "format": "0", "rejected": "1"}
    assert operator.post(f"{ORDERS}import/", form).content.decode("utf-8-sig").strip() == f"{ORDER.strip()},error"
    broken = {**form, "import_file": SimpleUploadedFile("facts.xlsx", b"no workbook")}
    assert "error" in operator.post(f"{ORDERS}import/", broken).content.decode("utf-8-sig")


def test_S3_whoever_may_not_import_gets_neither(client: Client) -> None:
    user = User.objects.create_user("vi", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_freightorder"))
    client.force_login(user)
    assert client.get(f"{ORDERS}template/").status_code == 403
    form = {"import_file": SimpleUploadedFile("facts.csv", b"x"), "format": "0", "rejected": "1"}
    assert client.post(f"{ORDERS}import/", form).status_code == 403
