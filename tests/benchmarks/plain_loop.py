"""The usual implementation: a loop over objects that keeps counters and saves a thousand rows at a time."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.models import Decision, Grant, JournalEntry, Offer
from logistics.models import FreightOrder
from tests.benchmarks.facts import OFFER

LINES = {
    "us-matson-select",
    "us-fastship-economy",
    "eu-truck-ddp-select",
    "eu-rail-ddp-economy",
    "3c-select",
    "ems-economy",
}
PLANS = {"export_pass", "global_pass", "verified_supplier"}
SINS = {"embargo", "prohibited_goods"}
START, END = datetime(2022, 8, 31, 16, tzinfo=UTC), datetime(2022, 10, 31, 16, tzinfo=UTC)
TIERS = ((Decimal(3000), Decimal("300.00")), (Decimal(1000), Decimal("100.00")), (Decimal(500), Decimal("50.00")))


def _in_force(several: Any, at: datetime) -> bool:
    return any(state.starts_at <= at and (state.ends_at is None or state.ends_at > at) for state in several)


def _failed(order: FreightOrder, at: datetime) -> int:
    merchant: Any = order.merchant
    held = (
        order.line in LINES,
        START <= at < END,
        merchant.country == "CN",
        _in_force([m for m in merchant.memberships.all() if m.plan in PLANS], at),
        not _in_force([p for p in merchant.penalties.all() if p.kind in SINS], at),
        order.cancelled_at is None or order.cancelled_at > at,
        order.currency == "CNY",
        order.base_freight >= 500,
    )
    return sum(1 << n for n, holds in enumerate(held) if not holds)


class Loop:
    """Counters and unsaved rows of the loop."""

    def __init__(self, offer: Offer) -> None:
        self.offer, self.line, self.used = offer, 0, 0
        self.merchants: Counter[str] = Counter()

    def decide(self, order: FreightOrder) -> tuple[Decision, Grant | None]:
        """Decide one order."""
        at = order.paid_at
        assert at is not None
        decision = Decision(
            offer=self.offer,
            subject=order.pk,
            merchant_id=order.merchant_id,
            version=self.offer.version,
            claimed_at=at,
            outcome=Decision.Outcome.REFUSED,
            failed=_failed(order, at),
        )
        if decision.failed:
            return decision, None
        self.line += 1
        decision.queue_position = self.line
        if self.merchants[order.merchant_id] >= (self.offer.limit_per_merchant or 0):
            decision.outcome = Decision.Outcome.MERCHANT_CAP
        elif self.used >= (self.offer.limit or 0):
            decision.outcome = Decision.Outcome.QUOTA_EXHAUSTED
        else:
            decision.outcome = Decision.Outcome.GRANTED
            return decision, self.grant(order, at)
        return decision, None

    def grant(self, order: FreightOrder, at: datetime) -> Grant:
        """Take a place."""
        self.used += 1
        self.merchants[order.merchant_id] += 1
        return Grant(
            offer=self.offer,
            version=self.offer.version,
            subject=order.pk,
            merchant_id=order.merchant_id,
            status=Grant.Status.SETTLED,
            currency=order.currency,
            fee="freight",
            claimed_at=at,
            amount=next(amount for least, amount in TIERS if order.base_freight >= least),
        )


def _entry(grant: Grant) -> JournalEntry:
    return JournalEntry(
        grant=grant, offer_id=grant.offer_id, version_id=grant.version_id, at=grant.claimed_at, target=grant.status,
        amount=grant.amount, currency=grant.currency, by="engine", reason="settled at the claim",
    )  # fmt: skip


@transaction.atomic
def decide(at: datetime) -> int:
    """Decide every order paid by `at` and return their number."""
    loop = Loop(Offer.objects.get(code=OFFER))
    orders = FreightOrder.objects.filter(paid_at__lte=at).order_by("paid_at", "pk").select_related("merchant")
    orders = orders.prefetch_related("merchant__memberships", "merchant__penalties")
    decisions: list[Decision] = []
    grants: list[Grant] = []
    count = 0
    for order in orders.iterator(chunk_size=2_000):
        decision, grant = loop.decide(order)
        decisions.append(decision)
        grants += [grant] if grant else []
        count += 1
        if len(decisions) == 1_000:
            _save(decisions, grants)
            decisions, grants = [], []
    _save(decisions, grants)
    return count


def _save(decisions: list[Decision], grants: list[Grant]) -> None:
    Decision.objects.bulk_create(decisions, batch_size=1_000)
    Grant.objects.bulk_create(grants, batch_size=1_000)
    JournalEntry.objects.bulk_create([_entry(grant) for grant in grants], batch_size=1_000)
