"""Naive evaluation of conditions in plain Python, to compare with the queries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Model

from core.facts import COLLECTIONS, FEES, Collection
from definitions.benefits import Discount
from definitions.offer_terms import OfferTerms
from merchants.models import Block, Membership, Penalty, ReferenceValue, ServicePackage
from ratings.models import Rating
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Measured, Rated
from rules.offer_facts import BENEFIT, OFFER_FACTS
from rules.operators import typed_operand
from tests.support.naive_facts import fact_value, merchant_of, rows_of
from tests.support.naive_measures import in_period, measure_value

Terms = OfferTerms | None
STATES: dict[str, tuple[type[Model], str]] = {
    "membership": (Membership, "plan"),
    "service_package": (ServicePackage, "package"),
    "penalty": (Penalty, "kind"),
    "block": (Block, "kind"),
}


def holds(condition: Condition, row: Any, collection: Collection, at: datetime, terms: Terms = None) -> bool:
    """Return whether a condition holds for a row as of the instant of its claim; `terms` give the benefit."""
    match condition:
        case Comparison():
            return compare(condition, row, collection, at, terms)
        case InForce():
            model, column = STATES[condition.state.name]
            when = at if condition.at is None else fact_value(row, condition.at, at)
            rows: Any = model._default_manager.filter(merchant=merchant_of(row))
            there = (
                when is not None
                and when <= at
                and any(
                    part.starts_at <= when
                    and (part.ends_at is None or part.ends_at > when)
                    and getattr(part, column) in condition.of
                    for part in rows
                )
            )
            return there == (condition.in_force is not None)
        case Counting():
            inner = COLLECTIONS[condition.count]
            of = rows_of(inner, merchant_of(row))
            count = sum(all(compare(part, each, inner, at) for part in condition.where) for each in of)
            return count >= condition.at_least if condition.at_least is not None else count <= (condition.at_most or 0)
        case Measured():
            return COMPARISONS[condition.operator](
                measure_value(condition.measure, row, at, compare, partial(fact_value, at=at)), condition.bound
            )
        case Rated():
            return rated(condition, row, at)
        case AnyOf():
            return any(holds(part, row, collection, at, terms) for part in condition.any)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "is_": lambda value, operand: bool(value == operand),
    "is_not": lambda value, operand: bool(value != operand),
    "in_": lambda value, operand: value in operand.values,
    "not_in": lambda value, operand: value not in operand.values,
    "in_reference": lambda value, operand: value in reference_values(operand),
    "not_in_reference": lambda value, operand: value not in reference_values(operand),
    "at_least": lambda value, operand: bool(value >= operand),
    "more_than": lambda value, operand: bool(value > operand),
    "at_most": lambda value, operand: bool(value <= operand),
    "less_than": lambda value, operand: bool(value < operand),
}


def compare(condition: Comparison, row: Any, collection: Collection, at: datetime, terms: Terms = None) -> bool:
    of_offer = condition.fact == BENEFIT
    value: Any = worth(row, at, terms) if of_offer else fact_value(row, condition.fact, at)
    fact = OFFER_FACTS[BENEFIT] if of_offer else collection.facts[condition.fact]
    operator, operand = condition.operator.name, condition.operand
    if condition.other_fact:
        return against(operator, value, fact_value(row, condition.other_fact, at), at)
    if condition.within is not None:
        seen = value is not None and value <= at
        return seen and in_period(condition.within, value, at, row, lambda each, name: fact_value(each, name, at))
    if fact.kind == "instant":
        return happened(operator, value, operand, at)
    if operator == "empty":
        return bool((value is None or value == "") == operand)
    return value is not None and COMPARISONS[operator](value, typed_operand(fact, operand))


def rated(condition: Rated, row: Any, at: datetime) -> bool:
    """Return whether the official rating in force of a row's merchant meets a condition."""
    for rating in Rating.objects.filter(scorecard=condition.rating, series="official", subject=merchant_of(row).pk):
        if rating.starts_at <= at < rating.ends_at:
            numbers = {**rating.metrics, "level": rating.level_number, "score": rating.score}
            value = numbers.get(condition.of)
            if condition.operator.name in ("is_", "in_"):
                return COMPARISONS[condition.operator.name](rating.level, condition.operand)
            return value is not None and COMPARISONS[condition.operator.name](Decimal(value), condition.operand)
    return False


def worth(row: Any, at: datetime, terms: Terms) -> Decimal:
    """Return the amount of the benefit for a row."""
    assert terms is not None
    if terms.bundle is not None:
        return terms.bundle.face_value
    assert isinstance(terms.benefit, Discount)
    fee = FEES[terms.fee]
    stated = fact_value(row, terms.benefit.fact, at) if terms.benefit.fact else None
    currency = getattr(row, fee.currency_fact) if fee.currency_fact else ""
    return terms.benefit.value(fact_value(row, fee.fact, at), currency, stated)


def reference_values(code: str) -> set[str]:
    return set(ReferenceValue.objects.filter(list_code=code).values_list("value", flat=True))


def against(operator: str, value: datetime | None, other: datetime | None, at: datetime) -> bool:
    """Return whether an instant of a row lies no later (`by`) or no earlier than another one of it."""
    if value is None or value > at:
        return operator == "not_before"
    return other is not None and (value <= other if operator == "by" else value >= other)


def happened(operator: str, value: datetime | None, operand: Any, at: datetime) -> bool:
    seen = value is not None and value <= at
    match operator:
        case "happened":
            return bool(seen == operand)
        case "not_before":
            return not seen or (value is not None and value >= (at if operand == "claim" else operand.instant))
        case _ if value is None or not seen:
            return False
        case "from_":
            return bool(operand.instant <= value)
        case "by":
            return bool(value < operand.after)
        case "within_hours":
            return at - timedelta(hours=operand) <= value < at
    raise AssertionError(operator)
