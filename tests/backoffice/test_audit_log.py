"""Audit log and journal are append-only: the database refuses changes."""

import pytest
from django.db import DatabaseError, connection, models, transaction

from campaigns.models import AuditEvent, JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market")]


@pytest.mark.parametrize("model", [AuditEvent, JournalEntry])
def test_a_row_of_the_record_cannot_be_changed(model: type[models.Model]) -> None:
    before = list(model._default_manager.values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._default_manager.update(by="somebody else")
    assert list(model._default_manager.values()) == before
    assert before


@pytest.mark.postgresql
@pytest.mark.parametrize("model", [AuditEvent, JournalEntry])
def test_nor_taken_away(model: type[models.Model]) -> None:
    before = model._default_manager.count()
    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table}")
    assert model._default_manager.count() == before > 0
