"""Naive values of facts in plain Python: of a row, of the rows to which it points, and derived from others."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.facts import COLLECTIONS, MERCHANT_PREFIX, Collection


def _first_payment(order: Any, _at: datetime) -> datetime | None:
    booked = [part.booked_at for part in order.receipts.all() if part.kind == "first" and part.booked_at]
    return min(booked, default=None)


def _level(buyer: Any, at: datetime) -> int:
    levels = {each.from_at: each.level for each in buyer.levels.all() if each.from_at <= at}
    return levels[max(levels)] if levels else 0


DERIVED: dict[tuple[str, str], Callable[[Any, datetime], Any]] = {
    ("trade_orders", "first_payment_at"): _first_payment,
    ("buyers", "level"): _level,
    ("listings", "category_l1"): lambda listing, _at: listing.category.split(">")[0],
    ("listings", "title_chars"): lambda listing, _at: len(listing.title),
    ("listings", "price_tiers"): lambda listing, _at: listing.price_tiers.count(),
}


def fact_value(row: Any, name: str, at: datetime) -> Any:
    """Return the value of a fact of a row as of an instant."""
    collection = _collection_of(row)
    if reference := collection.reference_of(name):
        other = _follow(row, reference.column)
        return None if other is None else fact_value(other, name.removeprefix(f"{reference.name}."), at)
    derived = DERIVED.get((collection.name, name))
    return derived(row, at) if derived else getattr(row, name.removeprefix(MERCHANT_PREFIX))


def merchant_of(row: Any) -> Any:
    """Return the merchant of a row, or the row if it is a merchant."""
    collection = _collection_of(row)
    return row if collection.is_merchants else _follow(row, collection.merchant)


def rows_of(collection: Collection, merchant: Any) -> list[Any]:
    """Return the rows of a merchant, with those to which they point."""
    pointed_to = [reference.column.removesuffix("_id") for reference in collection.references]
    of_merchant = collection.model._default_manager.filter(**{collection.merchant: merchant.pk})
    return list(of_merchant.select_related(*pointed_to) if pointed_to else of_merchant)


def _collection_of(row: Any) -> Collection:
    return next(collection for collection in COLLECTIONS.values() if collection.model is type(row))


def _follow(row: Any, path: str) -> Any:
    for name in path.removesuffix("_id").split("__"):
        row = None if row is None else getattr(row, name)
    return row
