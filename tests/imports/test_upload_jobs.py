"""Upload jobs: upload, check, preview, confirm, import; within the request or by a worker."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from campaigns import tasks
from core import clock
from core.jobs import STALLED_AFTER
from imports import importer, upload_admin, upload_jobs
from imports.models import ImportBatch, StoredMapping, Upload
from imports.tasks import work_on_upload
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.importing import ORDER, merchants, order
from tests.support.members import words
from tests.support.workbooks import number, row, sheet, text, workbook
from tests.support.world import t

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"
ORDERS = "/admin/logistics/freightorder/"
MERCHANTS = "/admin/merchants/merchant/"
LOS_ANGELES = """\
facts: freight_orders
zone: America/Los_Angeles
columns:
  order_no: order_no
  merchant_code: merchant_code
  service: service
  line: line
  base_freight: base_freight
  currency: currency
  placed_at: placed_at
"""


def rows(count: int) -> bytes:
    return (ORDER + "".join(f"F{n},M1,express,x,10,CNY,2025-01-01T00:00:00Z\n" for n in range(count))).encode()


@pytest.fixture
def operator(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    merchants(tmp_path)
    monkeypatch.setattr(upload_admin, "call_worker", lambda upload: None)  # the test is the worker
    client.force_login(User.objects.create_superuser("ana"))
    return client


def post(client: Client, content: bytes, name: str = "facts.csv", *, at: str = ORDERS, **fields: str) -> HttpResponse:
    form = {"file": SimpleUploadedFile(name, content), **fields}
    return client.post(f"{at}import/", form)  # type: ignore[return-value]


def upload(client: Client, content: bytes, name: str = "facts.csv", *, at: str = ORDERS, **fields: str) -> Upload:
    response = post(client, content, name, at=at, **fields)
    assert response.status_code == 302
    return Upload.objects.get(pk=int(response.headers["location"].split("/")[-3]))


def address(upload: Upload) -> str:
    return f"/admin/imports/upload/{upload.pk}/change/"


def confirm(client: Client, upload: Upload) -> str:
    response = client.post(address(upload), follow=True, headers={"accept-language": "en"})
    upload.refresh_from_db()
    return words(response.content.decode())


def run_worker(upload: Upload) -> None:
    upload.refresh_from_db()
    upload_jobs.run(upload, now=NOW, clock=lambda: NOW)


def page(client: Client, upload: Upload) -> str:
    return words(client.get(address(upload), headers={"accept-language": "en"}).content.decode())


def test_a_small_file_is_previewed_at_once_and_imported_when_confirmed(operator: Client) -> None:
    job = upload(operator, (ORDER + order("F1") + order("F2", placed="2022-09-05T15:00")).encode())
    assert (job.status, job.uploaded_by, job.kind) == ("checked", "ana", "freight_orders")
    shown = page(operator, job)
    assert "2 would be added 0 would be changed 0 unchanged 0 in the future" in shown
    assert "Nothing is stored yet." in shown
    assert "Times are shown in Beijing time." in shown
    assert "new F2 M1 express eu 1.00 CNY 0 0 2022-09-05 15:00:00" in shown
    assert not FreightOrder.objects.exists()
    done = confirm(operator, job)
    assert "Imported: 2 added 0 changed 0 unchanged" in done
    assert "would be" not in done
    batch = ImportBatch.objects.get(source="facts.csv")
    assert list(FreightOrder.objects.values_list("pk", "batch")) == [("F1", batch.pk), ("F2", batch.pk)]
    assert (job.batch, bytes(job.content)) == (batch, b"")
    [entry] = LogEntry.objects.all()
    assert (entry.object_id, entry.user.username) == (str(job.pk), "ana")
    assert "was confirmed before" in confirm(operator, job)
    assert ImportBatch.objects.filter(source="facts.csv").count() == LogEntry.objects.count() == 1


def test_a_preview_shows_the_stored_values_that_change(operator: Client) -> None:
    confirm(operator, upload(operator, (ORDER + order("F1") + order("F2", placed="2022-09-05T15:00")).encode()))
    changed = ORDER + order("F1", freight="2.50") + order("F2", placed="2022-09-05T16:00+09:00") + order("F3")
    shown = page(operator, upload(operator, changed.encode()))
    assert "1 would be added 1 would be changed 1 unchanged" in shown
    assert "changed F1 M1 express eu 1.00 → 2.50 CNY" in shown
    assert "unchanged F2 M1 express eu 1.00 CNY" in shown  # the same instant, written with an offset
    assert "new F3 M1 express eu 1.00 CNY" in shown


def test_a_preview_names_the_zone_of_the_mapping(operator: Client) -> None:
    mapping = StoredMapping.objects.create(name="LA", kind="freight_orders", text=LOS_ANGELES, saved_by="ana")
    job = upload(operator, (ORDER + order("F1", placed="2022-09-05T15:00")).encode(), mapping=str(mapping.pk))
    assert job.zone == "America/Los_Angeles"
    assert "Times are shown in Los Angeles time." in page(operator, job)
    assert "2022-09-05 15:00:00" in page(operator, job)
    confirm(operator, job)
    assert FreightOrder.objects.get().placed_at == t("05 22:00")


def test_checked_then_confirmed_then_imported_by_a_worker(operator: Client) -> None:
    job = upload(operator, rows(3), "big.csv", background="1")
    assert job.status == "waiting"
    assert "Waiting to be checked" in page(operator, job)
    run_worker(job)
    assert job.status == "checked"
    assert not FreightOrder.objects.exists()
    assert "3 would be added 0 would be changed 0 unchanged 0 in the future" in page(operator, job)
    confirm(operator, job)
    assert job.status == "confirmed"
    run_worker(job)
    assert job.status == "imported"
    assert FreightOrder.objects.count() == 3
    assert job.batch == ImportBatch.objects.latest("pk")
    assert not upload_jobs.confirm(job, at=NOW, by=User.objects.get(username="ana"))
    run_worker(job)
    assert FreightOrder.objects.count() == 3


def test_an_error_that_arises_before_the_confirmation_rejects_the_file(operator: Client) -> None:
    job = upload(operator, (ORDER + order("F1", merchant="M2")).encode())
    Merchant.objects.filter(pk="M2").delete()
    assert 'facts.csv line 2, merchant_code "M2": unknown merchant M2' in confirm(operator, job)
    assert job.status == "rejected"
    assert not FreightOrder.objects.exists()


@pytest.mark.parametrize(("smaller", "in_background"), [(-1, False), (0, True)])
def test_a_large_file_goes_to_a_worker(
    smaller: int, in_background: bool, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows(2)
    monkeypatch.setattr(upload_jobs, "LARGE", len(content) - smaller)
    job = upload(operator, content)
    assert (job.in_background, job.status) == (in_background, "waiting" if in_background else "checked")
    limit = upload_jobs.conversion_limit(job)
    assert (limit.seconds, limit.megabytes) == ((300, 1024) if in_background else (4, 256))


@pytest.mark.parametrize(("excess", "stored"), [(0, True), (1, False)])
@pytest.mark.parametrize("fields", [{}, {"background": "1"}])
def test_an_upload_has_a_maximum_size(
    excess: int, stored: bool, fields: dict[str, str], operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows(2)
    monkeypatch.setattr(upload_jobs, "MAX_SIZE", len(content) - excess)
    response = post(operator, content, **fields)
    assert ("Split it, or use manage.py import_facts." in response.content.decode()) is not stored
    assert Upload.objects.exists() is stored


def test_a_form_without_a_file_is_shown_again(operator: Client) -> None:
    response = operator.post(f"{ORDERS}import/", {})
    assert response.status_code == 200
    assert "This field is required." in response.content.decode()


def test_errors_are_listed_and_cannot_be_confirmed(operator: Client) -> None:
    job = upload(operator, (ORDER + order("F1", merchant="M9", freight="1.00") + order("F1")).encode())
    assert job.errors == [
        'facts.csv line 3, order_no "F1": stands in line 2 already',
        'facts.csv line 2, merchant_code "M9": unknown merchant M9',
    ]
    assert 'facts.csv line 2, merchant_code "M9": unknown merchant M9' in page(operator, job)
    assert "Confirm" not in page(operator, job)
    assert not upload_jobs.confirm(job, at=NOW, by=User.objects.get(username="ana"))
    job = upload(operator, b"merchant_code,nmae\n<b>,x\n", at=MERCHANTS)
    assert job.errors == ['facts.csv line 1, nmae "nmae": unknown column; is it “name”?']
    assert (Merchant.objects.count(), FreightOrder.objects.count()) == (2, 0)


def test_an_upload_of_gb18030_and_one_that_cannot_be_read(operator: Client) -> None:
    content = "merchant_code,name\nM1,杭州\n"
    confirm(operator, upload(operator, content.encode("gb18030"), at=MERCHANTS))
    assert Merchant.objects.get(pk="M1").name == "杭州"
    job = upload(operator, content.encode("utf-16"), at=MERCHANTS)
    assert job.errors == [
        "facts.csv: is UTF-16 or UTF-32: save it as CSV in UTF-8, or name its encoding, such as utf-16"
    ]


def test_an_uploaded_workbook_and_one_that_cannot_be_read(operator: Client) -> None:
    cells = row(1, text("A1", "merchant_code")) + row(2, number("A2", "123"))
    confirm(operator, upload(operator, workbook(sheet(cells)), "facts.xlsx", at=MERCHANTS))
    assert Merchant.objects.filter(code="123").exists()
    job = upload(operator, b"PK\x03\x04 and no more", "facts.xlsx", at=MERCHANTS)
    assert job.errors == ["facts.xlsx: is not a workbook that can be read: save it as .xlsx or CSV"]
    assert "is not a workbook that can be read" in rejected(operator, job)[-1][0]


def test_content_of_a_file_is_shown_as_text(operator: Client) -> None:
    job = upload(operator, b"merchant_code,country\nM1,<script>alert(1)</script>\n", "<b>.csv", at=MERCHANTS)
    shown = operator.get(address(job)).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<b>" not in shown
    job = upload(operator, b"merchant_code,name\nM1,<script>alert(1)</script>\n", at=MERCHANTS)
    assert "<script>alert" not in operator.get(address(job)).content.decode()


def rejected(client: Client, upload: Upload) -> list[list[str]]:
    content = client.get(f"/admin/imports/upload/{upload.pk}/rejected/").content
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_rejected_rows_are_downloaded_with_their_errors(operator: Client) -> None:
    lines = ["F1,M1,express,x,10,CNY,", "F2,M1,rocket,x,1e3,CNY,", "F3,NOBODY,express,x,5,CNY,"]
    job = upload(operator, (ORDER + "\n".join(lines)).encode())
    table = rejected(operator, job)
    assert table[0] == [*ORDER.strip().split(","), "error"]
    # References are checked when every cell can be read: the third row has no error yet.
    assert [row[:-1] for row in table[1:]] == [line.split(",") for line in lines[1:]]
    assert "rocket" in table[1][-1]
    assert "1e3" in table[1][-1]
    assert not FreightOrder.objects.exists()
    assert not ImportBatch.objects.filter(source="facts.csv").exists()


def test_an_error_of_the_header_stands_in_the_rejected_rows(operator: Client) -> None:
    job = upload(operator, b"merchant_code,nmae\nM1,x\n", at=MERCHANTS)
    assert rejected(operator, job)[1] == ["", "", 'nmae "nmae": unknown column; is it “name”?']


def test_a_file_without_errors_has_no_rejected_rows(operator: Client) -> None:
    job = upload(operator, rows(1))
    assert operator.get(f"/admin/imports/upload/{job.pk}/rejected/").status_code == 404


def test_a_template_can_be_imported_when_it_is_filled_in(operator: Client) -> None:
    response = operator.get(f"{ORDERS}template/")
    assert "freight_orders.xlsx" in response.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    page, notes = book.worksheets
    columns = [head.value for head in page[1]]
    assert page["A1"].fill.fgColor.rgb.endswith("FFF2CC")  # required
    assert any(rule.formula1 == '"yes,no"' for rule in page.data_validations.dataValidation)
    assert [row[0].value for row in notes.iter_rows(min_row=2)] == columns
    order = {"order_no": "F9", "merchant_code": "M1", "service": "express", "line": "x", "base_freight": 10}
    order |= {"currency": "CNY", "use_coupon": "yes"}
    page.append([order.get(name) for name in columns])
    out = io.BytesIO()
    book.save(out)
    confirm(operator, upload(operator, out.getvalue(), "mine.xlsx"))
    assert FreightOrder.objects.get().order_no == "F9"
    assert FreightOrder.objects.get().use_coupon


def test_an_upload_whose_worker_was_lost_fails(operator: Client) -> None:
    job = upload(operator, rows(1), background="1")
    Upload.objects.update(status="checking", seen_at=NOW)
    assert upload_jobs.QUEUE.fail_stalled(at=NOW + STALLED_AFTER) == 1
    assert "the worker was lost" in page(operator, job)


def test_the_sweep_repeats_a_lost_message(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = upload(operator, rows(1), background="1")
    sent: list[int] = []
    monkeypatch.setattr(work_on_upload, "delay", sent.append)
    tasks.sweep()
    assert sent == []  # it was uploaded just now
    Upload.objects.update(seen_at=NOW)
    tasks.sweep()
    assert sent == [job.pk]


@pytest.mark.postgresql
def test_progress_is_visible_while_a_worker_reads(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = upload(operator, rows(25), background="1")
    monkeypatch.setattr(importer, "PROGRESS_STEP", 10)
    seen: list[int] = []
    report = upload_jobs.Progress.__call__

    def watch(self: upload_jobs.Progress, rows: int) -> None:
        report(self, rows)
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT rows FROM imports_upload WHERE id = %s", [job.pk])
            seen.append(cursor.fetchone()[0])
        other.close()

    monkeypatch.setattr(upload_jobs.Progress, "__call__", watch)
    run_worker(job)
    assert (seen, job.rows) == ([10, 20], 25)


def test_without_the_permission_to_import_nothing_can_be_uploaded_confirmed_or_downloaded(
    operator: Client, client: Client
) -> None:
    checked = upload(operator, rows(1))
    wrong = upload(operator, b"nothing\n")
    user = User.objects.create_user("vi", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_upload", "view_freightorder"]))
    client.force_login(user)
    assert "Confirm" not in page(client, checked)
    assert client.post(address(checked)).status_code == 403
    assert client.get(f"/admin/imports/upload/{wrong.pk}/rejected/").status_code == 403
    assert client.get(f"{ORDERS}template/").status_code == 403
    assert post(client, b"x").status_code == 403
    user.user_permissions.clear()
    assert client.get(address(checked)).status_code == 403
    checked.refresh_from_db()
    assert checked.status == "checked"


def test_the_permission_to_import_is_enough(operator: Client, client: Client) -> None:
    user = User.objects.create_user("vi", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="add_freightorder"))
    client.force_login(user)
    job = upload(client, rows(1))
    assert "Confirm and import" in page(client, job)
    confirm(client, job)
    assert job.status == "imported"


def test_only_the_person_who_uploaded_a_file_confirms_it_or_reads_its_rows(operator: Client, client: Client) -> None:
    checked, wrong = upload(operator, rows(1)), upload(operator, b"nothing\n")
    other = User.objects.create_user("bo", is_staff=True)
    other.user_permissions.set(Permission.objects.filter(codename="add_freightorder"))
    client.force_login(other)
    assert client.get(address(checked)).status_code == 403
    assert client.post(address(checked)).status_code == 403
    assert client.get(f"/admin/imports/upload/{wrong.pk}/rejected/").status_code == 403
    client.force_login(User.objects.create_superuser("cy"))
    assert "Confirm and import" not in page(client, checked)
    assert client.post(address(checked)).status_code == 403
    assert not upload_jobs.confirm(checked, at=NOW, by=other)
    checked.refresh_from_db()
    assert checked.status == "checked"
    assert not FreightOrder.objects.exists()


def test_another_user_of_the_same_name_cannot_confirm(operator: Client, client: Client) -> None:
    checked = upload(operator, rows(1))
    User.objects.filter(username="ana").update(username="former")
    client.force_login(User.objects.create_superuser("ana"))
    assert client.post(address(checked)).status_code == 403
    assert not FreightOrder.objects.exists()


def test_contents_that_nobody_confirms_are_deleted_after_an_hour(operator: Client) -> None:
    job = upload(operator, rows(1))
    assert upload_jobs.expire(at=job.seen_at + timedelta(minutes=59)) == 0
    Upload.objects.update(seen_at=clock.real() - timedelta(hours=1))
    tasks.sweep()
    job.refresh_from_db()
    assert (job.status, bytes(job.content), job.sample) == ("expired", b"", [])
    assert "not confirmed in time" in page(operator, job).lower()
    assert "cannot be confirmed" in confirm(operator, job)
    assert not FreightOrder.objects.exists()


MAPPING = (SAMPLES / "erp_freight.yaml").read_text(encoding="utf-8")


def test_the_rows_of_a_rejected_file_are_deleted_after_a_day(operator: Client) -> None:
    job = upload(operator, (ORDER + order("F1") + order("F2", merchant="NOBODY")).encode())
    assert (job.status, bytes(job.content)) == ("rejected", b"")
    assert job.rejected_rows is not None
    assert upload_jobs.expire(at=job.seen_at + timedelta(hours=23, minutes=59)) == 0
    assert upload_jobs.expire(at=job.seen_at + timedelta(days=1)) == 1
    assert upload_jobs.expire(at=job.seen_at + timedelta(days=1)) == 0
    assert list(Upload.objects.values_list("status", "rejected_rows", "sample")) == [("rejected", None, [])]
    assert operator.get(f"/admin/imports/upload/{job.pk}/rejected/").status_code == 404
    assert "/rejected/" not in operator.get(address(job)).content.decode()


def test_a_mapping_is_stored_by_name_and_chosen_at_the_upload(operator: Client) -> None:
    add = "/admin/imports/storedmapping/add/"
    wrong = operator.post(add, {"name": "ERP", "text": MAPPING.replace("order_no", "order_on")})
    assert "unknown word “order_on”; is it “order_no”?" in wrong.content.decode()
    assert operator.post(add, {"name": "ERP", "text": MAPPING}).status_code == 302
    stored = StoredMapping.objects.get()
    assert (stored.name, stored.kind, stored.saved_by) == ("ERP", "freight_orders", "ana")
    assert "ERP" in operator.get(f"{ORDERS}import/").content.decode()
    assert "ERP" not in operator.get(f"{MERCHANTS}import/").content.decode()
    content = (SAMPLES / "erp_freight.csv").read_bytes()
    job = upload(operator, content, "erp.csv", mapping=str(stored.pk))
    shown = page(operator, job)
    assert "Encoding: CP1252" in shown
    assert "cells are separated by: semicolon" in shown
    assert "rows that the mapping leaves out: 1" in shown
    stored.delete()  # the upload has the text of its mapping
    confirm(operator, job)
    assert (job.status, FreightOrder.objects.count()) == ("imported", 3)


def test_a_wrong_cell_of_a_mapped_file_is_rejected_as_it_was_sent(operator: Client) -> None:
    StoredMapping.objects.create(name="ERP", kind="freight_orders", text=MAPPING)
    content = (SAMPLES / "erp_freight.csv").read_bytes().replace(b"85,5", b"85.5")
    job = upload(operator, content, "erp.csv", mapping=str(StoredMapping.objects.get().pk))
    table = rejected(operator, job)
    assert (table[0][0], table[1][0], table[1][4]) == ("Auftrag", "4711-03", "85.5")
    assert "is no number with , before decimals" in table[1][-1]


def test_errors_are_listed_by_kind_with_their_number_and_first_lines(operator: Client) -> None:
    lines = "".join(order(f"F{n}", freight=f"-{n}.00") for n in range(7)) + order("F9", freight="x")
    assert upload(operator, (ORDER + lines).encode()).errors == [
        'facts.csv line 2, base_freight "-0.00": is negative (7 rows with this error, in lines 2, 3, 4, 5, 6 …)',
        'facts.csv line 9, base_freight "x": is not an amount such as 1234.50',
    ]


def test_the_preview_counts_values_that_become_empty(operator: Client) -> None:
    confirm(operator, upload(operator, (ORDER + order("F1", placed="2022-09-05T15:00")).encode()))
    job = upload(operator, (ORDER + order("F1")).encode())
    assert job.notes == ["stored values that become empty: 1"]
    assert "stored values that become empty: 1" in page(operator, job)
    job = upload(operator, (ORDER.replace(",placed_at", "") + "F1,M1,express,eu,1.00,CNY\n").encode())
    assert job.notes == []
