"""Subjects that recur: the tick writes each merchant in each part of a period that has begun, for the offers that ask.

A part is written once for all merchants; afterwards those that imports have added or changed are written too, so that
a merchant that is reported late claims for the parts before. Rows come with a batch of their own, which every offer
then evaluates like an import: nothing is missed if the tick ends between the two.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction

from campaigns.offers.published_offers import PublishedOffer
from definitions.claim_terms import ClaimAt
from imports.models import ImportBatch
from merchants.models import Merchant
from recurring.models import MerchantPeriod, WrittenPeriod
from rules.calendar_periods import Bounds

SOURCE = "periods"
ROWS, MERCHANTS = MerchantPeriod._meta.db_table, Merchant._meta.db_table
WRITE = f"""
    INSERT INTO {ROWS} (period_no, merchant_id, recurrence, period, starts_at, ends_at, batch_id)
    SELECT m.code || %s, m.code, %s, %s, {{instant}}, {{instant}}, %s FROM {MERCHANTS} m WHERE {{which}}
    ON CONFLICT DO NOTHING
"""  # noqa: S608  own names


def write_due(offer: PublishedOffer, *, at: datetime, batches: Sequence[int]) -> tuple[int, ...]:
    """Write the subjects of an offer that recur, for the parts that have begun by `at`.

    `batches` are the imports that were not processed yet. Returns the batch of what is new, if anything is.
    """
    assert isinstance(offer.terms.claim, ClaimAt)
    recurrence = offer.terms.recurrence
    with transaction.atomic():
        known = set(WrittenPeriod.objects.filter(recurrence=recurrence).values_list("period", flat=True))
        parts = list(offer.terms.claim.parts(at))
        new = [part for part in parts if part[0] not in known]
        if not new and not batches:
            return ()
        batch = ImportBatch.objects.create(source=f"{SOURCE}: {offer.code}"[:200], recorded_at=at)
        written = sum(_write(recurrence, part, batch.pk, "true", []) for part in new)
        WrittenPeriod.objects.bulk_create(
            [WrittenPeriod(recurrence=recurrence, period=key) for key, _bounds in new], ignore_conflicts=True
        )
        written += sum(_late(recurrence, [part for part in parts if part[0] in known], batch.pk, batches))
        if not written:
            batch.delete()
            return ()
        ImportBatch.objects.filter(pk=batch.pk).update(rows=written, added=written)
    return (batch.pk,)


def _late(recurrence: str, parts: Sequence[tuple[str, Bounds]], batch: int, changed: Sequence[int]) -> Iterator[int]:
    """Write merchants that imports have added since the parts were written."""
    if changed and Merchant.objects.filter(batch__in=changed).exists():
        marks = ", ".join(["%s"] * len(changed))
        for part in parts:
            yield _write(recurrence, part, batch, f"m.batch_id IN ({marks})", changed)


def _write(recurrence: str, part: tuple[str, Bounds], batch: int, which: str, values: Sequence[int]) -> int:
    key, bounds = part
    # SQLite cannot adapt instants with a zone inside an expression list: it stores them as the ORM does.
    instants = [connection.ops.adapt_datetimefield_value(bound) for bound in bounds]
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    statement = WRITE.format(instant=instant, which=which)
    with connection.cursor() as cursor:
        cursor.execute(statement, [f"/{key}/{recurrence}", recurrence, key, *instants, batch, *values])
        return int(cursor.rowcount)
