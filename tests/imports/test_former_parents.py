"""Former parents of moved records are kept until a tick has processed their import."""

import pytest

from campaigns import tasks
from imports import former_parents
from imports.models import FormerParent
from merchants.models import Merchant
from tests.support.world import batch, merchant, tick

pytestmark = pytest.mark.django_db(transaction=True)


def moved_from(merchant_code: str) -> None:
    FormerParent.objects.create(batch=batch(), parent=Merchant._meta.db_table, key=merchant_code)


def left() -> list[str]:
    return list(FormerParent.objects.order_by("key").values_list("key", flat=True))


def test_only_those_that_a_tick_has_processed_are_deleted() -> None:
    merchant()
    moved_from("M1")
    assert former_parents.delete_processed() == 0
    tick("02")
    moved_from("M2")
    assert former_parents.delete_processed() == 1
    assert left() == ["M2"]


def test_the_sweep_deletes_them() -> None:
    merchant()
    moved_from("M1")
    tasks.sweep()
    assert left() == []
