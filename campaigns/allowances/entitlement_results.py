"""Entitlements of one holder explained: what it has, by which conditions, and until when at the latest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import DateTimeField, Value

from campaigns.allowances.entitlements import published
from campaigns.eligibility.condition_results import ConditionResult, condition_result
from campaigns.eligibility.named_facts import rated, states
from core.facts import MERCHANT, STATES
from definitions.case_numbers import NumberByCases, conditions_of, describe_cases
from definitions.entitlements import HOLDERS, EntitlementTerms
from ratings.models import Rating, Series
from rules.conditions import Condition, all_of
from rules.query_row import as_boolean


@dataclass(frozen=True)
class EntitlementResult:
    """An entitlement as one holder has it, or has it not, at an instant.

    `value` is None for a flag. `reason` says which case gave the value. `ends_at` is the end of the ratings and states
    in force on which it rests: it may end before, where facts change.
    """

    terms: EntitlementTerms
    is_held: bool
    value: Decimal | None
    reason: str
    conditions: tuple[ConditionResult, ...]
    ends_at: datetime | None

    @property
    def failed(self) -> list[ConditionResult]:
        """Conditions that do not hold."""
        return [condition for condition in self.conditions if not condition.passed]


def results(holder_kind: str, holder: str, *, at: datetime) -> list[EntitlementResult]:
    """Return every published entitlement as one holder has it, by code. Nothing for an unknown holder."""
    terms = published(holder_kind)
    found = _evaluate(holder_kind, holder, terms, at)
    if not terms or not found:
        return []
    ends = _Ends(holder_kind, holder, at)
    return [_result(n, one, found, ends) for n, one in enumerate(terms)]


def _evaluate(holder_kind: str, holder: str, terms: Sequence[EntitlementTerms], at: datetime) -> dict[str, Any]:
    """Return the results of all conditions and cases by one query, by names that count the entitlements."""
    wanted: dict[str, Any] = {}
    for n, one in enumerate(terms):
        for m, condition in enumerate(one.stated):
            wanted[f"passed_{n}_{m}"] = as_boolean(condition.q(one.row))
            wanted[f"found_{n}_{m}"] = condition.observed(one.row)
        if isinstance(one.value, NumberByCases):
            for m, case in enumerate(one.value.cases):
                wanted[f"case_{n}_{m}"] = as_boolean(all_of(case.when, one.row))
    rows: Any = HOLDERS[holder_kind].model._default_manager.filter(pk=holder)
    rows = rows.annotate(seen_at=Value(at, output_field=DateTimeField()))
    prefixed = {f"x_{name}": expression for name, expression in wanted.items()}
    values = rows.annotate(**prefixed).values_list("pk", *prefixed).first()
    return dict(zip(("pk", *wanted), values, strict=True)) if values else {}


def _result(n: int, terms: EntitlementTerms, found: dict[str, Any], ends: "_Ends") -> EntitlementResult:
    checked = tuple(
        condition_result(one, terms.row, found=found[f"found_{n}_{m}"], passed=bool(found[f"passed_{n}_{m}"]))
        for m, one in enumerate(terms.stated)
    )
    has_value, value, reason, rests_on = _value(n, terms, found)
    held = has_value and all(result.passed for result in checked)
    ends_at = ends.of((*terms.stated, *rests_on)) if held else None
    return EntitlementResult(terms, held, value if held else None, reason if held else "", checked, ends_at)


def _value(
    n: int, terms: EntitlementTerms, found: dict[str, Any]
) -> tuple[bool, Decimal | None, str, tuple[Condition, ...]]:
    """Return whether there is a value, the value, the case that gives it, and the conditions on which it rests."""
    if not isinstance(terms.value, NumberByCases):
        return True, terms.value, "", ()
    sentences = [when for _number, when in describe_cases(terms.value, terms.row)]
    for m, case in enumerate(terms.value.cases):
        if found[f"case_{n}_{m}"]:
            return True, case.is_, sentences[m], case.when
    otherwise = terms.value.otherwise
    return otherwise is not None, otherwise, "", tuple(conditions_of(terms.value))


class _Ends:
    """Ends of the ratings and states that one holder has at an instant, each asked for once."""

    def __init__(self, holder_kind: str, holder: str, at: datetime) -> None:
        self.holder_kind, self.holder, self.at = holder_kind, holder, at
        self.known: dict[tuple[str, str], datetime | None] = {}

    def of(self, conditions: Sequence[Condition]) -> datetime | None:
        """Return the earliest end on which conditions rest, None without one."""
        return min((end for end in self._ends(conditions) if end is not None), default=None)

    def _ends(self, conditions: Iterable[Condition]) -> Iterator[datetime | None]:
        conditions = list(conditions)
        for condition in rated(conditions):
            yield self._known("rating", condition.rating)
        for state in states(conditions):
            yield self._known("state", state)

    def _known(self, kind: str, name: str) -> datetime | None:
        if (kind, name) not in self.known:
            find = self._end_of_rating if kind == "rating" else self._end_of_state
            self.known[kind, name] = find(name)
        return self.known[kind, name]

    def _end_of_rating(self, scorecard: str) -> datetime | None:
        rows = Rating.objects.filter(scorecard=scorecard, series=Series.OFFICIAL, subject=self.holder)
        rows = rows.filter(subject_kind=self.holder_kind, starts_at__lte=self.at, ends_at__gt=self.at)
        return rows.values_list("ends_at", flat=True).first()

    def _end_of_state(self, state: str) -> datetime | None:
        if self.holder_kind != MERCHANT:
            return None
        rows = STATES[state].model._default_manager.filter(merchant=self.holder, starts_at__lte=self.at)
        ends = list(rows.exclude(ends_at__lte=self.at).values_list("ends_at", flat=True))
        return None if None in ends else max(ends, default=None)
