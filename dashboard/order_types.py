"""Types of order that offers cover: the collection of each type, and the facts that pages show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Model, QuerySet
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from merchants.models import Merchant
from rules import sentences
from rules.facts import COLLECTIONS, Fact

Label = str | Promise


@dataclass(frozen=True)
class OrderType:
    """One type of order: the collection of its rows, the expression that dates them, the facts shown in lists."""

    name: str
    subject: str
    collection: str
    listed_at: Any
    summary_facts: tuple[str, ...]

    @property
    def label(self) -> Label:
        return COLLECTIONS[self.collection].label

    def rows(self, merchant: Merchant, at: datetime) -> "QuerySet[Any]":
        """Return the merchant's orders dated up to `at`, annotated with `listed_at`."""
        orders: QuerySet[Any] = COLLECTIONS[self.collection].model._default_manager.filter(merchant=merchant)
        dated: QuerySet[Any] = orders.annotate(listed_at=self.listed_at)
        return dated.filter(listed_at__lte=at)

    def details(self, row: Model, at: datetime) -> Iterator[tuple[Label, str]]:
        """Yield label and text of every fact known by `at`; later events are left out."""
        for fact in COLLECTIONS[self.collection].facts.values():
            raw = getattr(row, fact.name, None)
            if raw not in (None, "") and not (isinstance(raw, datetime) and raw > at):
                yield fact.label, _text(row, fact, raw)

    def summary(self, row: Model) -> list[str]:
        """Return the texts of the facts that a list shows."""
        facts = [(COLLECTIONS[self.collection].facts[name], getattr(row, name)) for name in self.summary_facts]
        return [_text(row, fact, raw) for fact, raw in facts if raw not in (None, "")]

    def latest(self, row: Model, at: datetime) -> str:
        """Return the name of the latest event up to `at`, empty if there is none."""
        facts = COLLECTIONS[self.collection].facts.values()
        events = [(instant, fact) for fact in facts if (instant := _instant(row, fact)) is not None and instant <= at]
        return sentences.event(max(events, key=lambda event: event[0])[1]) if events else ""


def _text(row: Model, fact: Fact, raw: object) -> str:
    return sentences.fact(fact, raw, currency=getattr(row, "currency", ""))


def _instant(row: Model, fact: Fact) -> datetime | None:
    return getattr(row, fact.name, None) if fact.kind == "instant" else None


_ALL = (
    OrderType(
        name="freight",
        subject="freight_order",
        collection="freight_orders",
        listed_at=Coalesce("placed_at", "paid_at"),
        summary_facts=("service", "line", "base_freight"),
    ),
    OrderType(
        name="trade",
        subject="trade_order",
        collection="trade_orders",
        listed_at=Coalesce("drafted_at", "buyer_confirmed_at"),
        summary_facts=("product", "amount_usd"),
    ),
    OrderType(
        name="financing",
        subject="financing_draw",
        collection="financing_draws",
        listed_at=F("drawn_at"),
        summary_facts=("product", "fee"),
    ),
)
ORDER_TYPES = {order_type.name: order_type for order_type in _ALL}
"""Order types by their name in addresses."""
