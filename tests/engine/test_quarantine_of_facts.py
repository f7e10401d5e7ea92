"""One bad row stops no ratings, uses and recurring claims of others: it is quarantined, and decided again later."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model

from campaigns.models import QuarantineEntry, TickRun, UsageDecision
from campaigns.offers import publishing
from definitions import parser
from ratings.models import Rating
from recurring.models import MerchantPeriod
from services.models import Usage
from tests.support import allowances
from tests.support.faults import refused, unreadable
from tests.support.marketplace import account
from tests.support.world import (
    HEADING,
    correct,
    everything,
    merchant,
    offer,
    publish,
    rated_and_used,
    t,
    tell,
    tick,
    trade,
)
from trade.models import TradeOrder

pytestmark = pytest.mark.django_db

QUALITY = """
scorecards:
  - code: quality
    names: {en: Quality, zh: 质量}
    subjects: merchants
    where: all
    series:
      predicted: {every: week, from: 2022-09-01 00:00:00}
      official: {every: month, from: 2022-08-01 00:00:00, in_force: {month_from: 5}}
    levels: [{level: red}, {level: green, from: 2.00}]
    level: score
    score: sum
    versions:
      - parts:
          - code: volume
            measure: {sum: trade_orders.amount_usd, over: {last_days: 60, at: shipped_at}}
            bands: [{from: 100.00, points: 3.00}]
offers:
"""
SALES = "{sum: trade_orders.amount_usd, over: {period: own, at: shipped_at}}"
REBATE = {
    "subject": "merchant_period",
    "claim": "{each: week, during: {from: 2022-09-05 00:00:00, to: 2022-09-25 24:00}, at: ends_at}",
    "conditions": "[{fact: benefit, more_than: 0.00}]",
    "benefit": f"{{fee: rebate, of: {{measure: {SALES}}}, percent: 10, at_most: 50.00, currency: USD}}",
    "settlement": "",
}


def record_orders() -> None:
    source = HEADING + QUALITY + offer("o")
    publishing.publish(parser.read(source), source=source, at=t("08-01"), by="test")
    for n in range(1, 6):
        merchant(f"M{n}")
        trade(f"T{n}", f"M{n}", shipped_at="01", amount_usd=Decimal(100 * n))


def record_uses() -> None:
    allowances.publish(allowances.allowance("mails", "mail", units="2"))
    for n in range(1, 6):
        merchant(f"M{n}")
        account(f"A{n}", f"M{n}")
        for day in (5, 12):
            tell(
                Usage,
                usage_no=f"U{n}-{day}",
                merchant_id=f"M{n}",
                account_id=f"A{n}",
                use="mail",
                used_at=t(f"{day:02} 10:00"),
                quantity=2,
            )


def record_sales() -> None:
    publish(offer("o", **REBATE))
    for n in range(1, 6):
        merchant(f"M{n}")
        trade(f"T{n}", f"M{n}", shipped_at="06", amount_usd=Decimal(100 * n))


@dataclass(frozen=True)
class Case:
    """World of five merchants of which one cannot be processed: the step and the key that are quarantined.

    `row` is a row that cannot be read, with the column and the right value; `refused` one that cannot be written.
    """

    record: Callable[[], None]
    step: str
    key: str
    stage: str
    row: tuple[type[Model], str, str, object] | None = None
    refused: tuple[type[Model], str] | None = None

    def fails(self) -> AbstractContextManager[None]:
        if self.refused:
            return refused(*self.refused)
        assert self.row is not None
        unreadable(*self.row[:3])
        return nullcontext()


CANCELLED = (Usage, "U3-5", "cancelled_at", None)
AMOUNT = (TradeOrder, "T3", "amount_usd", Decimal(300))
CASES = {
    "rating-read": Case(record_orders, "ratings: quality", "M3", "rate", AMOUNT),
    "rating-written": Case(record_orders, "ratings: quality", "M3", "rate", refused=(Rating, "NEW.subject = 'M3'")),
    "use-read": Case(record_uses, "uses: mail", "M3", "settle", CANCELLED),
    "use-written": Case(record_uses, "uses: mail", "M3", "settle", refused=(UsageDecision, "NEW.merchant_id = 'M3'")),
    "period-written": Case(
        record_sales, "periods: o", "M3", "period", refused=(MerchantPeriod, "NEW.merchant_id = 'M3'")
    ),
    "sales-read": Case(record_sales, "claims: rebate", "M3/2022-W36", "evaluate", AMOUNT),
}
ONLY_POSTGRESQL = {"rating-read", "sales-read"}  # SQLite adds up a text as 0
PARAMS = [pytest.param(name, marks=[pytest.mark.postgresql] if name in ONLY_POSTGRESQL else []) for name in CASES]
Found = dict[str, list[tuple[Any, ...]]]


def found() -> Found:
    return {name: rows for name, rows in (everything() | rated_and_used()).items() if name != "queue"}


def without_the_third(found: Found) -> Found:
    def is_other(row: tuple[Any, ...]) -> bool:
        return not any(isinstance(value, str) and "3" in value.split("/")[0][:2] for value in row)

    return {name: [row for row in rows if is_other(row)] for name, rows in found.items() if name != "used"}


def expected(stops: Sequence[str]) -> list[Found]:
    """Return what is found at each stop without a fault. Nothing of it stays."""
    with transaction.atomic():
        results = []
        for stop in stops:
            tick(stop)
            results.append(found())
        transaction.set_rollback(True)
    return results


@pytest.mark.parametrize("name", PARAMS)
def test_others_are_decided_as_without_the_bad_row_and_it_later_as_if_it_had_never_failed(name: str) -> None:
    case = CASES[name]
    case.record()
    stops = ("12", "12 12:00", "12 12:01") if case.row else ("12", "12 12:00", "12 12:10")
    *others, final = expected(stops)
    assert all(without_the_third(results) != results for results in others[-1:])
    with case.fails():
        for stop, results in zip(stops, others, strict=False):
            tick(stop)
            assert without_the_third(found()) == without_the_third(results)
            entries = QuarantineEntry.objects.values_list("step", "stage", "merchant").filter(key__startswith=case.key)
            assert list(entries) == [(case.step, case.stage, "M3")]
        assert (QuarantineEntry.objects.get().attempts, TickRun.objects.latest().skipped_steps) == (2, "")
    if case.row:
        model, pk, column, right = case.row
        correct(model, pk, **{column: right})
    tick(stops[-1])
    assert found() == final
    assert not QuarantineEntry.objects.exists()
