"""Rows written in bulk equal the rows that the ORM writes."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from core.db import bulk_insert
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = (
    *("order_no", "batch_id", "merchant_id", "account_code", "service", "line", "base_freight", "currency"),
    *("promo_flag", "use_coupon", "placed_at", "paid_at", "shipped_at", "departed_at", "cancelled_at"),
)
EAST8 = timezone(timedelta(hours=8))


def stored(order_no: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(COLUMNS[1:])} FROM logistics_freightorder WHERE order_no = %s",
            [order_no],
        )
        return tuple(cursor.fetchone() or ())


def test_a_bulk_row_equals_a_row_of_the_orm() -> None:
    batch = ImportBatch.objects.create(source="test")
    merchant = Merchant.objects.create(code="M1", batch=batch)
    placed = datetime(2022, 9, 1, 8, 0, 0, 250, tzinfo=EAST8)
    paid = datetime(2022, 9, 1, 1, 0, tzinfo=UTC)
    values = ("A\t\\", "express", "a\nb", Decimal("1234567890.10"), "CNY", False, True, placed, paid, None, None, None)
    count = bulk_insert.write(FreightOrder._meta.db_table, COLUMNS, iter([("copied", batch.pk, "M1", *values)]))
    named = dict(zip(COLUMNS[3:], values, strict=True))
    FreightOrder.objects.create(order_no="saved", batch=batch, merchant=merchant, **named)
    assert count == 1
    assert stored("copied") == stored("saved") != ()


def test_writing_no_rows_writes_nothing() -> None:
    assert bulk_insert.write(FreightOrder._meta.db_table, COLUMNS, iter(())) == 0


def test_one_rejected_row_rejects_all() -> None:
    batch = ImportBatch.objects.create(source="test")
    Merchant.objects.create(code="M1", batch=batch)
    columns = ("code", "batch_id", "name", "name_en", "country", "category_l1", "category_l2", "logistics_partner")
    new = [(code, batch.pk, "", "", "", "", "", False) for code in ("M2", "M1")]
    with pytest.raises(IntegrityError):
        bulk_insert.write(Merchant._meta.db_table, columns, new)
    assert list(Merchant.objects.values_list("code", flat=True)) == ["M1"]
