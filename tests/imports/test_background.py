"""Large files in the background: sent, checked, confirmed, taken; each step seen by whoever sent it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from campaigns import tasks
from imports import admin, importer, upload_jobs
from imports.models import ImportBatch, Upload
from imports.tasks import work_on_upload
from logistics.import_schemas import FREIGHT_ORDERS
from logistics.models import FreightOrder
from tests.support.importing import ORDER, merchants
from tests.support.members import words

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = "/admin/logistics/freightorder/import/"


def rows(count: int) -> bytes:
    return (ORDER + "".join(f"F{n},M1,express,x,10,CNY,2025-01-01T00:00:00Z\n" for n in range(count))).encode()


@pytest.fixture
def operator(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    merchants(tmp_path)
    monkeypatch.setattr(admin, "call_worker", lambda upload: None)  # the worker is this very test
    client.force_login(User.objects.create_superuser("ana"))
    return client


def send(client: Client, content: bytes, name: str = "big.csv", **more: str) -> Upload:
    form = {"import_file": SimpleUploadedFile(name, content), "format": "0", "resource": "0", **more}
    answer = client.post(ORDERS, form)
    assert answer.status_code == 302
    return Upload.objects.get(pk=int(answer.headers["location"].split("/")[-3]))


def work(upload: Upload) -> None:
    upload.refresh_from_db()
    upload_jobs.run(upload, FREIGHT_ORDERS, now=NOW, clock=lambda: NOW)


def page(client: Client, upload: Upload) -> str:
    return words(
        client.get(f"/admin/imports/upload/{upload.pk}/change/", headers={"accept-language": "en"}).content.decode()
    )


def test_checked_then_confirmed_then_taken(operator: Client) -> None:
    upload = send(operator, rows(3), background="1")
    assert (upload.status, upload.asked_by, upload.kind) == ("waiting", "ana", "freight_orders")
    assert "waiting to be checked" in page(operator, upload)
    work(upload)
    assert upload.status == "checked"
    assert not FreightOrder.objects.exists()
    said = page(operator, upload)
    assert "3 new 0 changed 0 unchanged 0 in the future" in said
    assert "Nothing is stored yet. Confirm: take the file" in said
    operator.post(f"/admin/imports/upload/{upload.pk}/change/")
    work(upload)
    assert upload.status == "taken"
    assert FreightOrder.objects.count() == 3
    assert upload.batch == ImportBatch.objects.latest("pk")
    assert not upload_jobs.confirm(upload, at=NOW)  # once is enough
    work(upload)
    assert FreightOrder.objects.count() == 3


@pytest.mark.parametrize(("size", "waits"), [(-1, False), (0, True)])
def test_a_large_file_goes_there_by_itself(
    size: int, waits: bool, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows(2)
    monkeypatch.setattr(upload_jobs, "LARGE", len(content) - size)
    form = {"import_file": SimpleUploadedFile("facts.csv", content), "format": "0", "resource": "0"}
    assert operator.post(ORDERS, form).status_code == (302 if waits else 200)
    assert Upload.objects.exists() == waits


@pytest.mark.parametrize(("over", "kept"), [(0, True), (1, False)])
@pytest.mark.parametrize("more", [{}, {"background": "1"}, {"rejected": "1"}])
def test_how_large_a_file_may_be(
    over: int, kept: bool, more: dict[str, str], operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows(2)
    monkeypatch.setattr(upload_jobs, "MOST", len(content) - over)
    form = {"import_file": SimpleUploadedFile("facts.csv", content), "format": "0", "resource": "0", **more}
    page = operator.post(ORDERS, form, follow=True).content.decode()
    assert ("Split it, or use manage.py import_facts." in page) is not kept
    assert Upload.objects.exists() is (kept and "background" in more)


def test_what_is_wrong_is_told_and_nothing_is_taken(operator: Client) -> None:
    upload = send(operator, rows(2) + b"F9,M1,rocket,x,1e3,CNY,\n", background="1")
    work(upload)
    assert upload.status == "refused"
    said = page(operator, upload)
    assert "big.csv line 4, service" in said
    assert "Confirm" not in said
    assert not upload_jobs.confirm(upload, at=NOW)
    assert not FreightOrder.objects.exists()


def test_a_worker_that_was_lost_is_not_waited_for_for_ever(operator: Client) -> None:
    upload = send(operator, rows(1), background="1")
    Upload.objects.update(status="checking", seen_at=NOW)
    assert upload_jobs.fail_stalled(at=NOW + upload_jobs.PATIENCE) == 1
    assert "the worker was lost" in page(operator, upload)


def test_F4_a_lost_message_is_taken_up_by_the_sweep(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = send(operator, rows(1), background="1")
    sent: list[int] = []
    monkeypatch.setattr(work_on_upload, "delay", sent.append)
    tasks.sweep()
    assert sent == []  # it was sent just now
    Upload.objects.update(seen_at=NOW)
    tasks.sweep()
    assert sent == [upload.pk]


@pytest.mark.postgresql
def test_its_sender_sees_how_far_it_is(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = send(operator, rows(25), background="1")
    monkeypatch.setattr(importer, "EVERY", 10)
    seen: list[int] = []
    watched = upload_jobs.Watch.__call__

    def watch(self: upload_jobs.Watch, n: int) -> None:
        watched(self, n)
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT rows FROM imports_upload WHERE id = %s", [upload.pk])
            seen.append(cursor.fetchone()[0])
        other.close()

    monkeypatch.setattr(upload_jobs.Watch, "__call__", watch)
    work(upload)
    assert (seen, upload.rows) == ([10, 20], 25)


def test_S3_whoever_may_not_import_confirms_nothing(operator: Client, client: Client) -> None:
    upload = send(operator, rows(1), background="1")
    work(upload)
    user = User.objects.create_user("vi", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_upload"))
    client.force_login(user)
    assert "Confirm" not in page(client, upload)
    assert client.post(f"/admin/imports/upload/{upload.pk}/change/").status_code == 403
    assert Upload.objects.get().status == "checked"
