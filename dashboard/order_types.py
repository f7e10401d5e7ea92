"""The sorts of order that offers are about: where their rows are, and what is said of one."""

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
class Sort:
    """A sort of order that offers are about: where its rows are, by which instant they are listed, what is shown."""

    name: str
    subject: str
    collection: str
    when: Any
    shown: tuple[str, ...]

    @property
    def label(self) -> Label:
        return COLLECTIONS[self.collection].label

    def rows(self, merchant: Merchant, at: datetime) -> "QuerySet[Any]":
        """The merchant's orders that were there by `at`, with `listed_at`."""
        rows: QuerySet[Any] = COLLECTIONS[self.collection].model._default_manager.filter(merchant=merchant)
        there: QuerySet[Any] = rows.annotate(listed_at=self.when).filter(listed_at__lte=at)
        return there

    def details(self, row: Model, at: datetime) -> Iterator[tuple[Label, str]]:
        """What is known of an order by `at`, in words."""
        for fact in COLLECTIONS[self.collection].facts.values():
            raw = getattr(row, fact.name, None)
            if raw not in (None, "") and not (isinstance(raw, datetime) and raw > at):
                yield fact.label, _words(row, fact, raw)

    def summary(self, row: Model) -> list[str]:
        """What a list shows of an order."""
        facts = [(COLLECTIONS[self.collection].facts[name], getattr(row, name)) for name in self.shown]
        return [_words(row, fact, raw) for fact, raw in facts if raw not in (None, "")]

    def latest(self, row: Model, at: datetime) -> str:
        """What happened to the order last, by `at`."""
        facts = COLLECTIONS[self.collection].facts.values()
        happened = [(moment, fact) for fact in facts if (moment := _moment(row, fact)) is not None and moment <= at]
        return sentences.event(max(happened, key=lambda one: one[0])[1]) if happened else ""


def _words(row: Model, fact: Fact, raw: object) -> str:
    return sentences.fact(fact, raw, currency=getattr(row, "currency", ""))


def _moment(row: Model, fact: Fact) -> datetime | None:
    return getattr(row, fact.name, None) if fact.kind == "instant" else None


SORTS = {
    "freight": Sort("freight", "freight_order", "freight_orders", Coalesce("placed_at", "paid_at"),
                    ("service", "line", "base_freight")),
    "trade": Sort("trade", "trade_order", "trade_orders", Coalesce("drafted_at", "buyer_confirmed_at"),
                  ("product", "amount_usd")),
    "financing": Sort("financing", "financing_draw", "financing_draws", F("drawn_at"),
                      ("product", "fee")),
}  # fmt: skip
