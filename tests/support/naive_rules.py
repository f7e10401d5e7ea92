"""Naive evaluation of conditions in plain Python, to compare with the queries."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from core.facts import COLLECTIONS, Collection
from merchants.models import Membership, Merchant, Penalty, ReferenceValue, ServicePackage
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce
from rules.operators import typed_operand
from trade.models import TradeOrder

STATES: dict[str, tuple[type[Model], str]] = {
    "membership": (Membership, "plan"),
    "service_package": (ServicePackage, "package"),
    "penalty": (Penalty, "kind"),
}


def fact_value(row: Any, name: str) -> Any:
    """Return the value of a fact of a row."""
    if name == "first_payment_at" and isinstance(row, TradeOrder):
        booked = [part.booked_at for part in row.receipts.all() if part.kind == "first" and part.booked_at]
        return min(booked, default=None)
    if name.startswith("merchant.") and not isinstance(row, Merchant):
        row = row.merchant
    return getattr(row, name.removeprefix("merchant."))


def holds(condition: Condition, row: Any, collection: Collection, at: datetime) -> bool:
    """Return whether a condition holds for a row as of the instant of its claim."""
    match condition:
        case Comparison():
            return compare(condition, row, collection, at)
        case InForce():
            model, column = STATES[condition.state.name]
            when = at if condition.at is None else getattr(row, condition.at)
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
            of: Any = inner.model._default_manager.filter(merchant=merchant_of(row))
            count = sum(all(compare(part, each, inner, at) for part in condition.where) for each in of)
            return count >= condition.at_least if condition.at_least is not None else count <= (condition.at_most or 0)
        case AnyOf():
            return any(holds(part, row, collection, at) for part in condition.any)


def merchant_of(row: Any) -> Any:
    return row if isinstance(row, Merchant) else row.merchant


def compare(condition: Comparison, row: Any, collection: Collection, at: datetime) -> bool:  # noqa: PLR0911  a table
    value, operand = fact_value(row, condition.fact), condition.operand
    fact = collection.facts[condition.fact]
    if fact.kind == "instant":
        return happened(condition.operator.name, value, operand, at)
    if value is None:
        return False
    operand = typed_operand(fact, operand)
    match condition.operator.name:
        case "is_":
            return bool(value == operand)
        case "is_not":
            return bool(value != operand)
        case "in_":
            return value in operand.values
        case "not_in":
            return value not in operand.values
        case "in_reference":
            return value in reference_values(operand)
        case "not_in_reference":
            return value not in reference_values(operand)
        case "at_least":
            return bool(value >= operand)
        case "more_than":
            return bool(value > operand)
        case "at_most":
            return bool(value <= operand)
        case "less_than":
            return bool(value < operand)
    raise AssertionError(condition.operator.name)


def reference_values(code: str) -> set[str]:
    return set(ReferenceValue.objects.filter(list_code=code).values_list("value", flat=True))


def happened(operator: str, value: datetime | None, operand: Any, at: datetime) -> bool:  # noqa: PLR0911  a table
    seen = value is not None and value <= at
    match operator:
        case "happened":
            return bool(seen == operand)
        case "not_before":
            return not seen or (value is not None and value >= (at if operand == "claim" else operand.instant))
        case _ if value is None or not seen:
            return False
        case "within":
            return bool(operand.start <= value < operand.end)
        case "from_":
            return bool(operand.instant <= value)
        case "by":
            return bool(value < operand.after)
        case "within_hours":
            return at - timedelta(hours=operand) <= value < at
    raise AssertionError(operator)
