"""Condition results: what a condition requires, what was found, and by how much it failed, as numbers and in words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from campaigns.eligibility import claims
from core.facts import COLLECTIONS
from core.formatting import format_money, format_number, join_and
from definitions.claim_terms import Nth, Threshold
from rules import sentences
from rules.conditions import Comparison, Condition, Counting
from rules.operators import shortfall
from rules.query_row import QueryRow, row_count
from rules.sentences import describe, describe_bound, describe_comparison


@dataclass(frozen=True)
class ConditionResult:
    """Result of one condition: `required` in words, the value `found` and that value in words (`shown`).

    `margin` is the shortfall in words, empty if the condition passed or is not a matter of more or less. `holds_now` is
    set only where facts changed after the decision, so that the present result differs from `passed`.
    """

    name: str
    required: str
    found: Any
    passed: bool
    margin: str = ""
    shown: str = ""
    holds_now: bool | None = None

    @property
    def finding(self) -> str:
        """The value found, with the shortfall, in the language in force."""
        if self.passed and self.found in (None, ""):
            return _("none (OK)")
        words = {"found": self.shown, "margin": self.margin}
        return (_("found: %(found)s, %(margin)s") if self.margin else _("found: %(found)s")) % words


def condition_result(
    condition: Condition, row: QueryRow, *, found: object, passed: bool, currency: str = ""
) -> ConditionResult:
    """Return the result of a condition on a row. `currency` is that of the row's money."""
    return ConditionResult(
        name=condition.name,
        required=describe(condition, row),
        found=found,
        passed=passed,
        margin="" if passed else _margin(condition, found, row, currency),
        shown=sentences.describe_found(condition, row, found, currency=currency),
    )


def _margin(condition: Condition, found: Any, row: QueryRow, currency: str) -> str:
    match condition:
        case Comparison() if row.fact(condition.fact).kind in ("money", "number"):
            missing = shortfall(condition.operator.name, condition.operand, found)
            if missing is None:
                return ""
            shown = format_money(missing, row.fact(condition.fact).currency or currency)
            return (_("%(n)s short") if condition.at_least is not None else _("%(n)s too much")) % {"n": shown}
        case Counting():
            name = "at_least" if condition.at_least is not None else "at_most"
            missing = shortfall(name, condition.at_least or condition.at_most or 0, found)
            text = _("%(n)d more needed") if condition.at_least is not None else _("%(n)d too many")
            return text % {"n": missing} if missing else ""
    return ""


def threshold_progress(threshold: Threshold, total: Decimal | None) -> ConditionResult:
    """Return the progress of a merchant's receipts, `total` in USD, towards a threshold."""
    missing = threshold.height - total if total is not None else None
    reached = missing is not None and missing <= 0
    height = format_money(threshold.height, "USD")
    return ConditionResult(
        name="threshold",
        required=_("receipts before this order of at least %(height)s") % {"height": height},
        found=total,
        passed=reached,
        margin=_("%(n)s short") % {"n": format_money(missing, "USD")} if missing is not None and not reached else "",
        shown=format_money(total, "USD") if total is not None else "–",
    )


def number_counted(nth: Nth) -> Any:
    """Return an expression for the number of rows of an outer merchant that count by its `seen_at`."""
    counted = claims.counted(nth, decided=None).filter(**{f"{nth.at}__lte": OuterRef("seen_at")})
    return row_count(counted, merchant=COLLECTIONS[nth.of].merchant)


def nth_progress(nth: Nth, found: int, claimed_at: datetime | None) -> ConditionResult:
    """Return the progress of a merchant, with `found` rows that count, towards its n-th.

    A merchant that has claimed has passed: rows cancelled later do not undo the claim.
    """
    collection = COLLECTIONS[nth.of]
    which = join_and(describe_comparison(condition, QueryRow(collection)) for condition in nth.where)
    missing = max(nth.number - found, 0)
    return ConditionResult(
        name="number",
        required=_("%(n)d %(rows)s with: %(which)s") % {"n": nth.number, "rows": collection.label, "which": which},
        found=found,
        passed=claimed_at is not None or not missing,
        margin=_missing_rows(nth, missing) if missing and claimed_at is None else "",
        shown=format_number(found),
    )


def _missing_rows(nth: Nth, missing: int) -> str:
    more = npgettext("still missing", "%(n)d more", "%(n)d more", missing) % {"n": missing}
    ends = [condition.within.to for condition in nth.where if condition.within and condition.fact == nth.at]
    return _("%(more)s by %(end)s") % {"more": more, "end": describe_bound(ends[0])} if ends else more
