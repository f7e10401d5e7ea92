"""Schedule of an offer: when it opens and closes by its terms, and its state at an instant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.facts import MERCHANT_PREFIX, Fact
from definitions.claim_terms import ClaimAt, ClaimNth
from definitions.offer_terms import OfferTerms
from rules.conditions import Comparison, Condition
from rules.moments import case_fact, moment_facts
from rules.periods import outline
from rules.query_row import QueryRow
from rules.time_windows import Bound, Window


class State(TextChoices):
    """State of a published offer. Its dates decide, unless an operator has paused or stopped it."""

    SCHEDULED = "scheduled", _("scheduled")
    LIVE = "live", _("live")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")
    CLOSED = "closed", _("closed")


DATE_LABELS: dict[str, Promise] = {
    "opens": _("opens"),
    "order_by": _("last new orders"),
    "closes": _("closes"),
    "decided": _("claims decided, coupons issued"),
    "deadline": _("fulfilment deadline"),
    "coupons_from": _("coupons can be used"),
    "coupons_to": _("coupons expire"),
}


def state(
    terms: OfferTerms, *, at: datetime, paused_at: datetime | None, stopped_at: datetime | None, owed: bool
) -> State:
    """Return the state at `at`. `owed`: some grant is not settled or ended yet, or some coupon not used or expired."""
    start, end = opens(terms), closes(terms)
    if stopped_at is not None or (end is not None and at >= _last(terms, end)):
        return State.ENDED if owed else State.CLOSED
    if paused_at is not None:
        return State.PAUSED
    return State.SCHEDULED if start is not None and at < start.instant else State.LIVE


def _last(terms: OfferTerms, end: Bound) -> datetime:
    """Return the first instant at which no place is given any more: claims may be decided after they are made."""
    return max(end.after, terms.decision_instant) if terms.decision_instant else end.after


def opens(terms: OfferTerms) -> Bound | None:
    """Return the bound from which claims can be made, None without one."""
    return max(_starts(terms), key=lambda bound: bound.instant, default=None)


def first_claim(terms: OfferTerms) -> datetime | None:
    """Return the instant before which no claim can meet the conditions, None without one.

    A claim is not earlier than the facts that set its instant. Only a claim by cases that is decided later is no
    bound: a fact of another case may have happened by then.
    """
    by_cases = isinstance(terms.claim, ClaimAt) and case_fact(terms.claim.at) is not None
    start = opens(terms)
    return None if start is None or (by_cases and terms.decision_instant) else start.instant


def closes(terms: OfferTerms) -> Bound | None:
    """Return the last bound at which claims can be made, None without one."""
    return max(_ends(terms), key=lambda bound: bound.instant, default=None)


def order_by(terms: OfferTerms) -> Bound | None:
    """Return the last bound at which a new order can still get the benefit, None if that is when the offer closes.

    An order must be drafted, confirmed or paid by some bound of the conditions; where claims are made later, by the
    shipment for example, the offer closes later than that.
    """
    if terms.subject == "merchant":
        return None
    ends = [bound for condition in _comparisons(terms) if (bound := _end(condition))]
    first, last = min(ends, key=lambda bound: bound.instant, default=None), closes(terms)
    return first if first and last and first.instant < last.instant else None


@dataclass(frozen=True)
class Deadline:
    """Last bound at which a merchant can do something for the benefit: the facts that must have happened by then.

    With `alternatives` one of the facts is enough, by the case of the order. Without facts it is about receipts.
    """

    bound: Bound
    facts: tuple[Fact, ...] = ()
    alternatives: bool = False


def deadlines(terms: OfferTerms) -> list[Deadline]:
    """Return by when a merchant must do what, in order: for the claim, and after it for the settlement."""
    facts: dict[datetime, list[Fact]] = {}
    bounds: dict[datetime, Bound] = {}
    for row, condition in _dated(terms):
        if bound := _end(condition):
            bounds.setdefault(bound.instant, bound)
            facts.setdefault(bound.instant, []).append(row.fact(condition.fact))
    found = [Deadline(bound, tuple(dict.fromkeys(facts[instant]))) for instant, bound in bounds.items()]
    if terms.threshold is not None:
        found.append(Deadline(terms.threshold.window.to))
    settlement = terms.settlement
    if settlement.deadline is not None:
        names = moment_facts(settlement.fulfilled_at or settlement.at)
        done = tuple(dict.fromkeys(map(terms.row.fact, names)))
        found.append(Deadline(settlement.deadline, done, alternatives=True))
    return sorted(found, key=lambda deadline: deadline.bound.instant)


def _dated(terms: OfferTerms) -> Iterator[tuple[QueryRow, Comparison]]:
    """Yield the comparisons of a subject, or of the rows that a merchant's claim counts, each with its row."""
    if isinstance(terms.claim, ClaimNth):
        row = terms.claim.nth.row
        yield from ((row, condition) for condition in terms.claim.nth.where)
    else:
        yield from ((terms.row, condition) for condition in _comparisons(terms))


def closing_events(terms: OfferTerms) -> list[Fact]:
    """Return the facts that may happen as late as the closing: the payment or the shipment, for example."""
    last = closes(terms)
    row = terms.claim.nth.row if isinstance(terms.claim, ClaimNth) else terms.row
    return [row.fact(condition.fact) for condition in _about_claim(terms) if last and _end(condition) == last]


def _end(condition: Comparison) -> Bound | None:
    if isinstance(condition.by, Bound):
        return condition.by
    window = outline(condition.within)
    return window.to if window is not None else None


def _comparisons(terms: OfferTerms) -> Iterator[Comparison]:
    """Yield the conditions on instants of the subject itself."""
    for condition in (*terms.scope, *terms.asked):
        if isinstance(condition, Comparison) and not condition.fact.startswith(MERCHANT_PREFIX):
            yield condition


def dates(terms: OfferTerms) -> Iterator[tuple[str, Bound]]:
    """Yield the dates that matter to a merchant, in order, each with its kind."""
    bundle = terms.bundle
    found = {
        "opens": opens(terms),
        "order_by": order_by(terms),
        "closes": closes(terms),
        "decided": terms.decided_at,
        "deadline": terms.settlement.deadline,
        "coupons_from": bundle.valid.from_ if bundle else None,
        "coupons_to": bundle.valid.to if bundle else None,
    }
    return ((kind, bound) for kind, bound in found.items() if bound is not None)


def _starts(terms: OfferTerms) -> Iterator[Bound]:
    yield from (window.from_ for window in _windows(terms))
    if isinstance(terms.claim, ClaimAt) and terms.claim.first is not None:
        yield terms.claim.first
    yield from (condition.from_ for condition in _about_claim(terms) if isinstance(condition.from_, Bound))


def _ends(terms: OfferTerms) -> Iterator[Bound]:
    yield from (window.to for window in _windows(terms))
    if isinstance(terms.claim, ClaimAt) and terms.claim.last is not None and _claims_at_start(terms):
        yield terms.claim.last
    yield from (condition.by for condition in _about_claim(terms) if isinstance(condition.by, Bound))


def _claims_at_start(terms: OfferTerms) -> bool:
    """Return whether subjects that recur claim when their period starts: others may claim long after the last start."""
    bounds = terms.collection.bounds
    return isinstance(terms.claim, ClaimAt) and bounds is not None and terms.claim.at == bounds[0]


def _windows(terms: OfferTerms) -> Iterator[Window]:
    if terms.threshold is not None:
        yield terms.threshold.window
    yield from filter(None, (outline(condition.within) for condition in _about_claim(terms)))


def _about_claim(terms: OfferTerms) -> Iterator[Comparison]:
    """Yield the conditions on the facts that set the claim time."""
    match terms.claim:
        case ClaimNth(nth=nth):
            yield from _comparing(nth.where, {nth.at})
        case ClaimAt(at=moment):
            yield from _comparing((*terms.scope, *terms.asked), set(moment_facts(moment)))


def _comparing(conditions: Iterable[Condition], facts: set[str]) -> Iterator[Comparison]:
    return (condition for condition in conditions if isinstance(condition, Comparison) and condition.fact in facts)
