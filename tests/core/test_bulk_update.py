"""Rows updated in bulk equal the rows that the ORM saves one by one."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.db import bulk_update
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant

pytestmark = pytest.mark.django_db
CHANGED = ("line", "base_freight", "promo_flag", "service", "placed_at", "paid_at")
EAST8 = timezone(timedelta(hours=8))


def create_orders(*numbers: str) -> list[FreightOrder]:
    batch = ImportBatch.objects.create(source="test")
    merchant = Merchant.objects.create(code="M1", batch=batch)
    orders = [
        FreightOrder(
            order_no=number,
            merchant=merchant,
            batch=batch,
            service=FreightOrder.Service.EXPRESS,
            line="before",
            base_freight=Decimal("1.00"),
            currency="CNY",
            paid_at=datetime(2022, 9, 1, tzinfo=UTC),
        )
        for number in numbers
    ]
    return FreightOrder.objects.bulk_create(orders)


def change(order: FreightOrder, n: int) -> None:
    order.line = ("a\t\\\n\"'%s", "ÿ 多", "plain")[n % 3]
    order.base_freight = Decimal("999999999999.99") - n
    order.promo_flag = n % 2 == 0
    order.service = FreightOrder.Service.SEA_FCL
    order.placed_at = datetime(2022, 9, 1, 8, 0, 0, 250, tzinfo=EAST8) + timedelta(seconds=n)
    order.paid_at = None
    order.currency = "USD"  # not among the changed fields: it must not be written


def stored(number: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        columns = "line, base_freight, promo_flag, service, placed_at, paid_at, currency, merchant_id"
        cursor.execute(f"SELECT {columns} FROM logistics_freightorder WHERE order_no = %s", [number])
        return tuple(cursor.fetchone())


@pytest.mark.parametrize("n", range(3))
def test_an_updated_row_equals_a_row_that_the_orm_saves(n: int) -> None:
    together, alone = create_orders("together", "alone")
    change(together, n)
    change(alone, n)
    bulk_update.save([together], CHANGED)
    alone.save(update_fields=CHANGED)
    assert stored("together") == stored("alone")
    assert stored("together")[-2:] == ("CNY", "M1")


def test_each_of_many_rows_gets_its_own_values_and_other_rows_keep_theirs() -> None:
    *orders, untouched = create_orders(*(f"F{n:05}" for n in range(bulk_update.CHUNK + 2)))
    for n, order in enumerate(orders):
        change(order, n)
    bulk_update.save(orders, CHANGED)
    found = FreightOrder.objects.exclude(pk=untouched.pk).order_by("pk").values_list("pk", *CHANGED)
    assert list(found) == [(order.pk, *(getattr(order, name) for name in CHANGED)) for order in orders]
    assert stored(untouched.pk)[0] == "before"


def test_a_value_that_the_table_refuses_changes_no_row() -> None:
    orders = create_orders("F1", "F2")
    orders[0].base_freight, orders[1].base_freight = Decimal(2), Decimal(-1)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_update.save(orders, ["base_freight"])
    assert [stored(number)[1] for number in ("F1", "F2")] == [stored("F1")[1]] * 2


def test_no_rows_need_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        bulk_update.save([], CHANGED)
    assert not queries.captured_queries
