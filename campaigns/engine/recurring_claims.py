"""Subjects that recur: the tick writes each merchant in each part of a period that has begun, for the offers that ask.

A part is written once for all merchants; afterwards those that imports have added or changed are written too, so that
a merchant that is reported late claims for the parts before. Rows come with a batch of their own, which every offer
then evaluates like an import: nothing is missed if the tick ends between the two.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from django.db import connection
from django.db.models import Q

from campaigns.eligibility.guards import Guard
from campaigns.eligibility.held import Held
from campaigns.engine.isolating_step import IsolatingStep, of_offers
from campaigns.engine.quarantine_entries import Stage
from campaigns.offers.published_offers import PublishedOffer
from definitions.claim_terms import ClaimAt
from imports.models import ImportBatch
from merchants.models import Merchant
from recurring.models import MerchantPeriod, WrittenPeriod
from rules.calendar_periods import Bounds

SOURCE = "periods"
ROWS = MerchantPeriod._meta.db_table
WRITE = f"""
    INSERT INTO {ROWS} (period_no, merchant_id, recurrence, period, starts_at, ends_at, batch_id)
    SELECT m.code || %s, m.code, %s, %s, {{instant}}, {{instant}}, %s FROM ({{merchants}}) AS m WHERE true
    ON CONFLICT DO NOTHING
"""  # noqa: S608  own names


def write_due(offer: PublishedOffer, *, at: datetime, batches: Sequence[int]) -> tuple[int, ...]:
    """Write the subjects of an offer that recur, for the parts that have begun by `at`.

    `batches` are the imports that were not processed yet. Merchants in quarantine are left out. Returns the batch of
    what is new, if anything is.
    """

    def changed(merchants: Collection[str]) -> set[str]:
        of_batches = Merchant.objects.filter(pk__in=merchants, batch__in=batches)
        return set(of_batches.values_list("pk", flat=True))

    work = partial(_write_due, offer, at, batches)
    return IsolatingStep(f"periods: {offer.code}", at, work, of_offers([offer]), changed=changed).run()


def _write_due(
    offer: PublishedOffer, at: datetime, batches: Sequence[int], held: Held, guard: Guard
) -> tuple[int, ...]:
    assert isinstance(offer.terms.claim, ClaimAt)
    recurrence = offer.terms.recurrence
    known = set(WrittenPeriod.objects.filter(recurrence=recurrence).values_list("period", flat=True))
    parts = list(offer.terms.claim.parts(at))
    new, earlier = ([part for part in parts if (part[0] in known) is is_known] for is_known in (False, True))
    late = Q(batch__in=batches) | Q(pk__in=list(held.merchants_again))
    if not Merchant.objects.filter(late).exists():
        earlier = []
    if not (new or earlier):
        return ()
    batch = ImportBatch.objects.create(source=f"{SOURCE}: {offer.code}"[:200], recorded_at=at)

    def write(only: Q) -> int:
        written = sum(_write(recurrence, part, batch.pk, only) for part in new)
        return written + sum(_write(recurrence, part, batch.pk, only & late) for part in earlier)

    evaluable = guard.evaluable(Stage.PERIOD, write, Merchant.objects.all())
    rows = write(evaluable & ~Q(pk__in=held.merchants) if held.merchants else evaluable)
    WrittenPeriod.objects.bulk_create(
        [WrittenPeriod(recurrence=recurrence, period=key) for key, _bounds in new], ignore_conflicts=True
    )
    return _keep(batch, rows)


def _keep(batch: ImportBatch, rows: int) -> tuple[int, ...]:
    if not rows:
        batch.delete()
        return ()
    ImportBatch.objects.filter(pk=batch.pk).update(rows=rows, added=rows)
    return (batch.pk,)


def _write(recurrence: str, part: tuple[str, Bounds], batch: int, which: Q) -> int:
    """Write one part for the merchants that meet a condition. Those of whom it is written stay as they are."""
    key, bounds = part
    # SQLite cannot adapt instants with a zone inside an expression list: it stores them as the ORM does.
    instants = [connection.ops.adapt_datetimefield_value(bound) for bound in bounds]
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    merchants, values = Merchant.objects.order_by().filter(which).values("code").query.sql_with_params()
    statement = WRITE.format(instant=instant, merchants=merchants)
    with connection.cursor() as cursor:
        cursor.execute(statement, [f"/{key}/{recurrence}", recurrence, key, *instants, batch, *values])
        return int(cursor.rowcount)
