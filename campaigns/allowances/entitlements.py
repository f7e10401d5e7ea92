"""Entitlements: what holders have at an instant, by one query for each kind of holder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, DateTimeField, Q, QuerySet, Value, When

from campaigns.offers import documents
from campaigns.offers.documents import PublishedDocument
from core.facts import Label
from definitions.case_numbers import NUMBER, number_expression
from definitions.entitlements import HOLDERS, EntitlementTerms, show_value
from rules.conditions import all_of

KIND = "entitlements"
FLAG = Decimal(1)
MOST_COLUMNS = 500
"""Columns of one query. PostgreSQL allows 1,664 and SQLite 2,000."""
FEW = 5


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Entitlement of one holder. `value` is `yes` for a flag, a number with two decimals for others."""

    holder: str
    code: str
    name: Label
    value: str


def published(holder_kind: str) -> list[EntitlementTerms]:
    """Return the published entitlements of a kind of holder, merchant or buyer, by code."""
    terms = (document.terms for document in documents.published(KIND))
    return [one for one in terms if isinstance(one, EntitlementTerms) and one.holder == holder_kind]


def held_by(holder_kind: str, holder: str, *, at: datetime) -> list[Entitlement]:
    """Return what one holder is entitled to at an instant, by code."""
    terms = published(holder_kind)
    by_query = (terms[n : n + MOST_COLUMNS] for n in range(0, len(terms), MOST_COLUMNS))
    return [one for some in by_query for one in _entitlements(some, _rows(holder_kind, some, at, Q(pk=holder)))]


def rehearse(document: PublishedDocument, *, at: datetime) -> None:
    """Evaluate an entitlement for a few holders. Raises the error of a query that fails."""
    assert isinstance(document.terms, EntitlementTerms)
    list(_rows(document.terms.holder, [document.terms], at, Q())[:FEW])


def held_by_all(holder_kind: str, *, at: datetime) -> Iterator[Entitlement]:
    """Yield what all holders of a kind are entitled to at an instant, by holder and code."""
    terms = published(holder_kind)
    if terms:
        yield from _entitlements(terms, _rows(holder_kind, terms, at, Q()))


def _rows(holder_kind: str, terms: Sequence[EntitlementTerms], at: datetime, only: Q) -> "QuerySet[Any, Any]":
    holders: Any = HOLDERS[holder_kind].model._default_manager.filter(only)
    holders = holders.annotate(seen_at=Value(at, output_field=DateTimeField()))
    names = {f"x_value_{n}": _value(one) for n, one in enumerate(terms)}
    return holders.annotate(**names).order_by("pk").values_list("pk", *names)  # type: ignore[no-any-return]


def _value(terms: EntitlementTerms) -> Any:
    """Return the value of an entitlement as an expression: NULL where the holder does not have it."""
    value = Value(FLAG, output_field=NUMBER) if terms.value is None else number_expression(terms.value, terms.row)
    met = all_of(terms.stated, terms.row)
    return Case(When(met, then=value), default=Value(None, output_field=NUMBER), output_field=NUMBER) if met else value


def _entitlements(terms: Sequence[EntitlementTerms], rows: "QuerySet[Any, Any]") -> Iterator[Entitlement]:
    for holder, *values in rows.iterator(chunk_size=2_000):
        for one, value in zip(terms, values, strict=True):
            if value is not None:
                shown = show_value(None if one.value is None else value)
                yield Entitlement(holder, one.code, str(one.names), shown)
