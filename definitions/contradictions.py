"""Contradictions: facts on which no row can meet all conditions of a list.

Only what the conditions themselves say counts, never the recorded facts. A contradiction that is named is certain; not
every one is found.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.facts import Fact
from core.money import CENT
from definitions.benefits import Discount
from definitions.claim_terms import ClaimAt
from definitions.offer_terms import OfferTerms
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Measured
from rules.measures import Measure
from rules.moments import case_fact, moment_facts
from rules.offer_facts import BENEFIT, OFFER_FACTS
from rules.operators import FLAGS
from rules.periods import outline
from rules.query_row import QueryRow
from rules.time_windows import Bound

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def claim_contradiction(offer: OfferTerms) -> str:
    """Return the fact on which no claim can meet the scope and the conditions; empty if one may."""
    conditions = (*offer.scope, *offer.asked, *_most_of_benefit(offer))
    return find_contradiction(conditions, offer.row, happened=_certain(offer), until=offer.decision_instant)


def _most_of_benefit(offer: OfferTerms) -> Iterator[Comparison]:
    """Yield what holds for the benefit of every claim: it is no larger than its terms allow."""
    benefit = offer.benefit
    most = benefit.most if isinstance(benefit, Discount) else benefit.coupons.face_value
    if most is not None:
        yield Comparison(fact=BENEFIT, at_most=most)


def separates(offer: OfferTerms, other: OfferTerms) -> bool:
    """Return whether the conditions of two offers for one kind of subject exclude each other."""
    conditions = [
        condition for one in (offer, other) for condition in (*one.scope, *one.asked) if _is_shared(condition)
    ]
    if (offer.claim, offer.decided_at) != (other.claim, other.decided_at):
        # The offers see the facts as of different instants: only what does not change with time can be compared.
        conditions = [condition for condition in conditions if _is_timeless(condition)]
    plain = replace(offer.row, offer_facts={})
    return bool(find_contradiction(conditions, plain, happened=_certain(offer) | _certain(other)))


def _certain(offer: OfferTerms) -> set[str]:
    """Return the instants that every claim of the offer has."""
    moment = offer.claim.at if isinstance(offer.claim, ClaimAt) else None
    return set(moment_facts(moment)) if moment is not None and case_fact(moment) is None else set()


def _is_shared(condition: Condition) -> bool:
    """Return whether the condition names no fact of its own offer, such as the benefit."""
    if isinstance(condition, AnyOf):
        return all(map(_is_shared, condition.any))
    return not isinstance(condition, Comparison) or condition.fact not in OFFER_FACTS


def _is_timeless(condition: Condition) -> bool:
    return isinstance(condition, Comparison) and condition.operator.name not in ("happened", "not_before")


def find_contradiction(
    conditions: Sequence[Condition], row: QueryRow, *, happened: Iterable[str] = (), until: datetime | None = None
) -> str:
    """Return the fact, state or count on which the conditions contradict each other; empty if they need not.

    `happened` are instants that the row is known to have, `until` is the instant as of which facts are seen, if fixed.
    """
    plain = [condition for condition in conditions if not isinstance(condition, AnyOf)]
    found = _in_facts(plain, row, happened, until) or _in_states(plain) or _in_counts(plain) or _in_measures(plain)
    if found:
        return found
    for either in conditions:
        if isinstance(either, AnyOf) and all(
            find_contradiction([*plain, part], row, happened=happened, until=until) for part in either.any
        ):
            return either.name
    return ""


@dataclass
class _Values:
    """Values of one fact that meet the conditions seen so far.

    `least` and `most` are ends that belong to the values, in the smallest steps of the fact (cents, microseconds); they
    count only if the fact is `present`, which is None while it need not be.
    """

    allowed: set[str] | None = None
    excluded: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    excluded_lists: set[str] = field(default_factory=set)
    least: int = 0
    most: int | None = None
    present: bool | None = None
    impossible: bool = False

    def require(self, *, present: bool) -> None:
        """Require that the fact has a value, or that it has none."""
        self.impossible = self.impossible or self.present is (not present)
        self.present = present

    def keep(self, values: Iterable[str]) -> None:
        """Require one of the values."""
        self.allowed = set(values) if self.allowed is None else self.allowed & set(values)

    def bound(self, *, least: int | None = None, most: int | None = None) -> None:
        """Require a value from `least` to `most`."""
        self.least = self.least if least is None else max(self.least, least)
        self.most = min((end for end in (self.most, most) if end is not None), default=None)

    @property
    def is_empty(self) -> bool:
        """Return whether no value is left."""
        no_choice = self.allowed is not None and not self.allowed - self.excluded
        crossed = self.present is True and self.most is not None and self.least > self.most
        return bool(self.impossible or no_choice or crossed or self.lists & self.excluded_lists)


def _in_facts(plain: Iterable[Condition], row: QueryRow, happened: Iterable[str], until: datetime | None) -> str:
    values: dict[str, _Values] = defaultdict(_Values)
    for name in happened:
        values[name].require(present=True)
    for condition in plain:
        if isinstance(condition, Comparison):
            _restrict(values[condition.fact], condition, row.fact(condition.fact))
        elif isinstance(condition, InForce) and condition.at is not None and condition.in_force is not None:
            values[condition.at].require(present=True)
    for name, left in values.items():
        if until is not None and row.fact(name).kind == "instant":
            left.bound(most=_step(until))
    return next((name for name, left in values.items() if left.is_empty), "")


def _restrict(left: _Values, condition: Comparison, fact: Fact) -> None:
    operator, operand = condition.operator.name, condition.operand
    if operator in ("happened", "empty"):
        left.require(present=operand is (operator == "happened"))
    elif operator not in NEED_NO_VALUE:
        left.require(present=True)
    match operator:
        case "is_":
            left.keep([str(FLAGS[operand]) if fact.kind == "flag" else operand])
        case "in_":
            left.keep(operand.values)
        case "is_not":
            left.excluded.add(operand)
        case "not_in":
            left.excluded.update(operand.values)
        case "in_reference":
            left.lists.add(operand)
        case "not_in_reference":
            left.excluded_lists.add(operand)
        case _ if fact.kind == "instant":
            _restrict_instant(left, operator, operand)
        case _:
            unit = Decimal(1).scaleb(-fact.decimals) if fact.kind == "number" else CENT
            _restrict_amount(left, operator, operand, unit)


NEED_NO_VALUE = frozenset({"is_not", "not_in", "not_in_reference", "not_before"})
"""Operators that an empty fact can meet."""


def _restrict_instant(left: _Values, operator: str, operand: object) -> None:
    match operator, operand:
        case "within", period:
            if (window := outline(period)) is not None:
                left.bound(least=_step(window.start), most=_step(window.end) - 1)
        case (("from_" | "not_before"), Bound()):
            left.bound(least=_step(operand.instant))
        case "by", Bound():
            left.bound(most=_step(operand.after) - 1)


def _restrict_amount(left: _Values, operator: str, operand: Decimal, unit: Decimal) -> None:
    steps = operand / unit
    match operator:
        case "at_least":
            left.bound(least=int(steps.to_integral_value(ROUND_CEILING)))
        case "more_than":
            left.bound(least=int(steps.to_integral_value(ROUND_FLOOR)) + 1)
        case "at_most":
            left.bound(most=int(steps.to_integral_value(ROUND_FLOOR)))
        case "less_than":
            left.bound(most=int(steps.to_integral_value(ROUND_CEILING)) - 1)


def _step(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _in_states(plain: Iterable[Condition]) -> str:
    """Return a state that must and must not be in force at the same instant."""
    states = [condition for condition in plain if isinstance(condition, InForce)]
    for one in (condition for condition in states if condition.in_force is not None):
        barred = {
            kind for other in states if (other.not_in_force, other.at) == (one.in_force, one.at) for kind in other.of
        }
        if set(one.of) <= barred:
            return str(one.in_force)
    return ""


def _in_measures(plain: Iterable[Condition]) -> str:
    """Return the name of a measure that no number can meet."""
    values: list[tuple[Measure, _Values]] = []
    for condition in plain:
        if isinstance(condition, Measured):
            left = next((left for measure, left in values if measure == condition.measure), None)
            if left is None:
                left = _Values(present=True)
                values.append((condition.measure, left))
            _restrict_amount(left, condition.operator, condition.bound, CENT)
    return next((measure.name for measure, left in values if left.is_empty), "")


def _in_counts(plain: Iterable[Condition]) -> str:
    """Return a collection of which more rows must meet some conditions than may meet them."""
    for least, most in _pairs([condition for condition in plain if isinstance(condition, Counting)]):
        if least.at_least > most.at_most:  # type: ignore[operator]  # _pairs gives those that have them
            return least.count
    return ""


def _pairs(counts: Sequence[Counting]) -> Iterator[tuple[Counting, Counting]]:
    for one in counts:
        for other in counts:
            same = (one.count, one.where) == (other.count, other.where)
            if same and one.at_least is not None and other.at_most is not None:
                yield one, other
