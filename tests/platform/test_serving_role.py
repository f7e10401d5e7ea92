"""The role that serves does all the work of web processes and workers, and cannot touch records or tables."""

import os
import secrets
from collections.abc import Iterator
from datetime import date
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from pytest_django import Settings

from campaigns import tasks
from campaigns.ledger import statements
from campaigns.models import Campaign, Coupon, Grant, JournalEntry
from campaigns.offers import drafts
from campaigns.simulation import jobs
from config.checks import serving_role
from core.db import planner_hints
from logistics.models import FreightOrder
from merchants.models import Member, Merchant
from tests.support.importing import ORDER, order
from tests.support.members import PASSWORD, member
from tests.support.scenarios import small_world
from tests.support.world import batch, merchant, t, tick

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
# Roles belong to the server: two processes that test their own databases at once need two.
ROLE = f"fairground_serving_{os.getpid()}"


def connect_as(user: str, password: str) -> None:
    connection.close()
    connection.settings_dict.update(USER=user, PASSWORD=password)


@pytest.fixture
def owner() -> tuple[str, str]:
    """Name and password of the role that migrates."""
    return connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]


@pytest.fixture
def serving(owner: tuple[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Connect as a second role that was given the rights to serve."""
    password = secrets.token_hex()
    monkeypatch.setenv("SERVING_PASSWORD", password)
    for _again in range(2):  # it may be repeated
        call_command("grant_serving_role", ROLE, password_variable="SERVING_PASSWORD", stdout=StringIO())
    connect_as(ROLE, password)
    yield ROLE
    connect_as(*owner)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


REFUSED = (
    "TRUNCATE campaigns_journalentry",
    "TRUNCATE logistics_freightorder CASCADE",
    "UPDATE django_admin_log SET change_message = 'x'",
    "DELETE FROM django_admin_log",
    "UPDATE campaigns_auditevent SET by = 'x'",
    "DELETE FROM campaigns_journalentry",
    "UPDATE campaigns_version SET digest = 'x'",
    "DELETE FROM campaigns_accountingperiod",
    "ALTER TABLE django_admin_log DISABLE TRIGGER USER",
    "ALTER TABLE campaigns_journalentry DISABLE TRIGGER campaigns_journalentry_no_truncate",
    "DROP TRIGGER campaigns_auditevent_append_only ON campaigns_auditevent",
    "DROP FUNCTION fairground_append_only() CASCADE",
    "CREATE OR REPLACE FUNCTION fairground_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
    "CREATE TABLE public.mine (n int)",
    "DROP TABLE logistics_freightorder",
    "ALTER TABLE auth_user ADD COLUMN x int",
    "CREATE SCHEMA mine",
    "DELETE FROM django_migrations",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "SET ROLE postgres",
)


def test_it_cannot_change_records_tables_or_rights(serving: str) -> None:
    ana = User.objects.create_user("ana")
    LogEntry.objects.log_actions(ana.pk, [ana], CHANGE, change_message="kept", single_object=True)
    with connection.cursor() as cursor:
        for statement in REFUSED:
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)
        cursor.execute("GRANT UPDATE ON django_admin_log TO CURRENT_USER")  # a warning, not an error
        cursor.execute("SELECT has_table_privilege('django_admin_log', 'UPDATE')")
        assert cursor.fetchone() == (False,)
    assert LogEntry.objects.get().change_message == "kept"


def test_it_does_the_work_of_workers(serving: str) -> None:
    small_world()
    tick("20")
    tasks.sweep()
    assert Grant.objects.exists()
    assert Coupon.objects.exists()
    assert JournalEntry.objects.exists()
    statements.close(date(2022, 8, 1), at=t("20"), by="eve")
    source = Campaign.objects.latest("pk").source
    draft = drafts.begin(source, title="x", at=t("20"), by="eve")
    simulation = jobs.request(draft, until=t("20"), at=t("20"), by="eve")
    jobs.run(simulation, clock=lambda: t("20"))
    assert (simulation.status, simulation.error) == ("done", "")


def test_it_does_the_work_of_web_processes(serving: str) -> None:
    merchant("M1")
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    content = (ORDER + order("F1")).encode()
    uploaded = root.post("/admin/logistics/freightorder/import/", {"file": SimpleUploadedFile("f.csv", content)})
    root.post(uploaded.headers["location"])
    assert list(FreightOrder.objects.values_list("pk", flat=True)) == ["F1"]
    owner = Client()
    assert member("owner@example.com").user.check_password(PASSWORD)
    assert owner.post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD}).status_code == 302
    owner.post("/team/", {"email": "new@example.com", "language": "en"})
    owner.post(f"/team/{Member.objects.latest('pk').pk}/withdraw/")
    assert [person.user.get_username() for person in Member.objects.all()] == ["owner@example.com"]


def test_it_renews_the_statistics_of_tables_that_it_does_not_own(serving: str) -> None:
    tell_merchants = [Merchant(code=f"M{n}", batch=batch()) for n in range(100)]
    Merchant.objects.bulk_create(tell_merchants)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE mine AS SELECT generate_series(1, 100) AS n")
        for table, rows in ((Merchant._meta.db_table, 100), ("mine", 100)):
            planner_hints.analyze_table(table)
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::text::regclass", [table])
            assert cursor.fetchone() == (rows,)


def test_only_a_role_that_owns_nothing_serves_safely(serving: str, owner: tuple[str, str]) -> None:
    assert serving_role(databases=["default"]) == []
    connect_as(*owner)
    assert [warning.id for warning in serving_role(databases=["default"])] == ["fairground.W001"]
    assert serving_role(databases=None) == []


@pytest.mark.parametrize(
    ("role", "variable", "reason"),
    [
        ("new_role", "EMPTY_VARIABLE", "The environment variable EMPTY_VARIABLE is empty."),
        ("no_such_role", None, "does not exist"),
        (None, None, "owns the tables"),
    ],
)
def test_what_is_refused_says_why(owner: tuple[str, str], role: str | None, variable: str | None, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("grant_serving_role", role or owner[0], password_variable=variable)
