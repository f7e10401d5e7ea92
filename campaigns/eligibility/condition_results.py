"""Condition results: what a condition requires, what was found, and by how much it failed, as numbers and in words."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from campaigns.eligibility import claims
from campaigns.eligibility.requirements import Requirement, fact_of, requirement
from core.facts import COLLECTIONS, Fact
from core.formatting import format_money, format_number, join_and
from declarations.stored_values import plain_number
from definitions.claim_terms import Nth, Threshold
from rules import sentences
from rules.conditions import Comparison, Condition, Counting, Measured, Rated
from rules.measure_sentences import describe_number
from rules.operators import shortfall
from rules.periods import outline
from rules.query_row import QueryRow, row_count
from rules.rated import LEVEL, NUMERIC
from rules.sentences import describe, describe_bound, describe_comparison


@dataclass(frozen=True)
class ConditionResult:
    """Result of one condition: `required` in words, the value `found` and that value in words (`shown`).

    `asked` is the requirement as a value. `shortfall` is what is missing, an amount or a number, and `margin` the same
    in words; both are empty if the condition passed or is not a matter of more or less. `holds_now` is set only where
    facts changed after the decision, so that the present result differs from `passed`.
    """

    name: str
    required: str
    found: Any
    passed: bool
    asked: Requirement
    shortfall: Decimal | int | None = None
    margin: str = ""
    shown: str = ""
    holds_now: bool | None = None

    @property
    def finding(self) -> str:
        """The value found, with the shortfall, in the language in force."""
        if self.passed and self.found in (None, ""):
            return _("met")
        words = {"found": self.shown, "margin": self.margin}
        return (_("found: %(found)s, %(margin)s") if self.margin else _("found: %(found)s")) % words


@dataclass(frozen=True, slots=True)
class WordedCondition:
    """A condition with what it requires, as a value and in the language in force: the same for all subjects."""

    condition: Condition
    row: QueryRow
    fact: Fact | None
    asked: Requirement
    required: str

    @classmethod
    def of(cls, condition: Condition, row: QueryRow) -> "WordedCondition":
        """Word a condition on rows of a kind."""
        fact = fact_of(condition, row)
        return cls(condition, row, fact, requirement(condition, fact), describe(condition, row))

    def result(self, *, found: object, passed: bool, currency: str = "") -> ConditionResult:
        """Return the result for one subject. `currency` is that of the row's money."""
        condition, fact, asked = self.condition, self.fact, self.asked
        if fact is not None and fact.kind == "money" and not asked.unit:
            asked = replace(asked, unit=currency or None)
        missing = None if passed else _shortfall(condition, found, fact)
        return ConditionResult(
            name=condition.name,
            required=self.required,
            found=found,
            passed=passed,
            asked=asked,
            shortfall=missing,
            margin="" if missing is None else _margin(condition, missing, fact, asked.unit or ""),
            shown=sentences.describe_found(condition, self.row, found, currency=currency),
        )


def condition_result(
    condition: Condition, row: QueryRow, *, found: object, passed: bool, currency: str = ""
) -> ConditionResult:
    """Return the result of a condition on a row. `currency` is that of the row's money."""
    return WordedCondition.of(condition, row).result(found=found, passed=passed, currency=currency)


def _shortfall(condition: Condition, found: Any, fact: Fact | None) -> Decimal | int | None:
    match condition:
        case Comparison() if fact is not None and fact.kind in ("money", "number"):
            missing = shortfall(condition.operator.name, condition.operand, found)
            if missing is not None and fact.decimals:
                return plain_number(Decimal(missing))
            return missing if missing is None or fact.kind == "money" else int(missing)
        case Counting():
            name = "at_least" if condition.at_least is not None else "at_most"
            return shortfall(name, condition.at_least or condition.at_most or 0, found)
        case Measured(measure=measure):
            missing = shortfall(condition.operator, condition.bound, found)
            return int(missing) if missing is not None and measure.is_whole else missing
        case Rated() if condition.operator.name in NUMERIC:
            missing = shortfall(condition.operator.name, condition.operand, found)
            return int(missing) if missing is not None and condition.of == LEVEL else missing
    return None


def _margin(condition: Condition, missing: Decimal | int, fact: Fact | None, currency: str) -> str:
    """Return a shortfall in words."""
    if isinstance(condition, Counting):
        text = _("%(n)d more needed") if condition.at_least is not None else _("%(n)d too many")
        return text % {"n": missing}
    if isinstance(condition, Measured):
        shown = describe_number(condition.measure, missing)
        return (_("%(n)s short") if condition.at_least is not None else _("%(n)s too much")) % {"n": shown}
    assert isinstance(condition, Comparison | Rated)
    text = _("%(n)s short") if condition.at_least is not None else _("%(n)s too much")
    is_money = fact is not None and fact.kind == "money"
    return text % {"n": format_money(missing, currency) if is_money else format_number(missing)}


def threshold_progress(threshold: Threshold, total: Decimal | None) -> ConditionResult:
    """Return the progress of a merchant's receipts, `total` in USD, towards a threshold."""
    missing = threshold.height - total if total is not None else None
    reached = missing is not None and missing <= 0
    lacking = missing is not None and not reached
    height = format_money(threshold.height, "USD")
    return ConditionResult(
        name="threshold",
        required=_("receipts before this order of at least %(height)s") % {"height": height},
        found=total,
        passed=reached,
        asked=Requirement("at_least", threshold.height, "USD"),
        shortfall=missing if lacking else None,
        margin=_("%(n)s short") % {"n": format_money(missing, "USD")} if missing is not None and lacking else "",
        shown=format_money(total, "USD") if total is not None else "–",
    )


def number_counted(nth: Nth) -> Any:
    """Return an expression for the number of rows of an outer merchant that count by its `seen_at`."""
    rows = COLLECTIONS[nth.of]
    counted = claims.counted(nth, decided=None).filter(**{f"{rows.column(nth.at)}__lte": OuterRef("seen_at")})
    return row_count(counted, merchant=rows.merchant)


def nth_progress(nth: Nth, found: int, claimed_at: datetime | None) -> ConditionResult:
    """Return the progress of a merchant, with `found` rows that count, towards its n-th.

    A merchant that has claimed has passed: rows cancelled later do not undo the claim.
    """
    collection = COLLECTIONS[nth.of]
    which = join_and(describe_comparison(condition, nth.row) for condition in nth.where)
    missing = 0 if claimed_at is not None else max(nth.number - found, 0)
    return ConditionResult(
        name="number",
        required=_("%(n)d %(rows)s with: %(which)s") % {"n": nth.number, "rows": collection.label, "which": which},
        found=found,
        passed=not missing,
        asked=Requirement("at_least", nth.number, collection.name),
        shortfall=missing or None,
        margin=_missing_rows(nth, missing) if missing else "",
        shown=format_number(found),
    )


def _missing_rows(nth: Nth, missing: int) -> str:
    more = npgettext("still missing", "%(n)d more", "%(n)d more", missing) % {"n": missing}
    windows = [outline(condition.within) for condition in nth.where if condition.fact == nth.at]
    end = next((window.to for window in windows if window is not None), None)
    return _("%(more)s by %(end)s") % {"more": more, "end": describe_bound(end)} if end is not None else more
