"""Records are append-only: the database refuses changes, also of its own accord."""

from datetime import date

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, models, transaction

from campaigns.ledger import statements
from campaigns.models import (
    AccountingPeriod,
    AllowanceEntry,
    AuditEvent,
    DocumentVersion,
    Draft,
    DraftComment,
    JournalEntry,
    Note,
    Version,
)
from core.db import roles
from merchants import api_keys
from merchants.models import AccessChange, Merchant
from tests.support.allowances import allowance, publish
from tests.support.world import t

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("market"),
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
COLUMNS = {
    AuditEvent: "by",
    JournalEntry: "by",
    AccountingPeriod: "closed_by",
    Version: "digest",
    DocumentVersion: "digest",
    AllowanceEntry: "period",
    AccessChange: "target",
    LogEntry: "change_message",
    Note: "text",
    DraftComment: "text",
}
"""A column of text of each record."""


@pytest.fixture
def records(market: None) -> None:
    """At least one row in each record."""
    statements.close(date(2022, 8, 1), at=t("20"), by="eve")
    publish(allowance("mails", "mail"))
    version = DocumentVersion.objects.get()
    AllowanceEntry.objects.create(
        document=version.document, version=version, merchant_id="M1", period="p", kind="used", units=1, at=t("20")
    )
    key, _secret = api_keys.issue("x", scopes=["keys"], at=t("20"), by="eve")
    AccessChange.objects.create(verb="issued", kind="key", target="x", by=key, at=t("20"))
    ana = User.objects.create_user("ana")
    Note.objects.create(merchant=Merchant.objects.get(pk="M1"), text="Hello", by="ana", at=t("20"))
    draft = Draft.objects.create(title="T", created_at=t("20"), changed_at=t("20"))
    DraftComment.objects.create(draft=draft, text="Why?", by="ana", at=t("20"))
    LogEntry.objects.log_actions(ana.pk, [ana], CHANGE, change_message="x", single_object=True)


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("act", ["change", "delete"])
@pytest.mark.parametrize("model", COLUMNS)
def test_a_row_of_a_record_is_neither_changed_nor_deleted(model: type[models.Model], act: str) -> None:
    table = model._meta.db_table
    before = list(model._default_manager.values())
    sql = f"UPDATE {table} SET {COLUMNS[model]} = 'x'" if act == "change" else f"DELETE FROM {table}"
    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(model._default_manager.values()) == before != []


@pytest.mark.postgresql
@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("model", COLUMNS)
def test_a_record_is_not_truncated(model: type[models.Model]) -> None:
    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert model._default_manager.exists()


@pytest.mark.postgresql
def test_every_append_only_table_is_tested() -> None:
    assert roles.append_only_tables() == sorted(model._meta.db_table for model in COLUMNS)
