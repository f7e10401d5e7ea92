"""Types of order that offers cover: the collection of each type, and the facts that pages show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Model, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import pgettext_lazy

from core.facts import COLLECTIONS, Collection, Fact, Label, Listing
from merchants.models import Merchant
from rules import sentences


@dataclass(frozen=True)
class OrderType:
    """One type of order: a collection of the registry of facts, and its list in the dashboard."""

    collection: Collection
    listing: Listing

    @property
    def name(self) -> str:
        return self.listing.name

    @property
    def subject(self) -> str:
        return self.collection.subject

    @property
    def label(self) -> Label:
        return self.collection.label

    def rows(self, merchant: Merchant, at: datetime) -> "QuerySet[Any]":
        """Return the merchant's orders dated up to `at`, annotated with `listed_at`."""
        orders: QuerySet[Any] = self.collection.model._default_manager.filter(**{self.collection.merchant: merchant.pk})
        dated: QuerySet[Any] = orders.annotate(listed_at=_first_known(self.listing.listed_at))
        return dated.filter(listed_at__lte=at)

    def details(self, row: Model, at: datetime) -> Iterator[tuple[Label, str]]:
        """Return label and text of every fact known by `at`."""
        return sentences.describe_known_facts(self.collection, row, at=at)

    def summary(self, row: Model) -> list[str]:
        """Return the texts of the facts that a list shows."""
        facts = [(self.collection.facts[name], getattr(row, name)) for name in self.listing.shown]
        return [_text(row, fact, raw) for fact, raw in facts if raw not in (None, "")]

    def latest(self, row: Model, at: datetime) -> str:
        """Return the state that the latest event up to `at` has led to, empty if there is none."""
        facts = self.collection.facts.values()
        events = [(instant, fact) for fact in facts if (instant := _instant(row, fact)) is not None and instant <= at]
        if not events:
            return ""
        event = sentences.describe_event(max(events, key=lambda event: event[0])[1])
        return str(pgettext_lazy("state of an order", "%(event)s")) % {"event": event}


def _text(row: Model, fact: Fact, raw: object) -> str:
    return sentences.describe_fact(fact, raw, currency=getattr(row, "currency", ""))


def _instant(row: Model, fact: Fact) -> datetime | None:
    return getattr(row, fact.name, None) if fact.kind == "instant" else None


def _first_known(names: tuple[str, ...]) -> Any:
    return Coalesce(*names) if len(names) > 1 else F(names[0])


def list_of(subject: str) -> str:
    """Return the name in addresses of the list of a subject's rows; empty if they have no list."""
    return next((each.name for each in order_types().values() if each.subject == subject), "")


def order_types() -> dict[str, OrderType]:
    """Return the collections of the registry that have a list, by the list's name in addresses."""
    listed = [OrderType(collection, collection.listing) for collection in COLLECTIONS.values() if collection.listing]
    return {order_type.name: order_type for order_type in listed}
