"""Why this subject has, or has not, this offer: every condition that the engine asks, in one query.

What is shown as held is what the decision recorded, where there is one; else what holds now, as if the subject claimed
at the instant asked about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Least
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from campaigns.eligibility import claims
from campaigns.models import Decision, Grant, JournalEntry, Tag, Version
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from core.facts import COLLECTIONS
from core.formatting import format_money, format_number, join_and
from core.money import round_to_cents
from definitions.offer_terms import ClaimNth, Nth, Threshold
from rules import sentences
from rules.conditions import Comparison, Condition, Counting, as_boolean, row_count
from rules.operators import shortfall
from rules.query_row import QueryRow
from rules.sentences import describe, describe_bound, describe_comparison

OUTCOMES = {
    Decision.Outcome.GRANTED: "granted",
    Decision.Outcome.REFUSED: "refused",
    Decision.Outcome.SUPERSEDED: "superseded",
    Decision.Outcome.MERCHANT_CAP: "merchant_cap",
    Decision.Outcome.QUOTA_EXHAUSTED: "quota_exhausted",
    Decision.Outcome.STOPPED: "stopped",
}


@dataclass(frozen=True)
class ConditionResult:
    """One condition: what it asks, in words; what was found; whether it held; how much is missing, if that is a number.

    `shown` is what was found in words. `holds_now` differs from `held` where facts changed after the decision.
    """

    name: str
    required: str
    found: Any
    held: bool
    margin: str = ""
    shown: str = ""
    holds_now: bool | None = None

    @property
    def finding(self) -> str:
        """What was found, and how much is missing, in the language in force."""
        words = {"found": self.shown, "margin": self.margin}
        return (_("found: %(found)s, %(margin)s") if self.margin else _("found: %(found)s")) % words


@dataclass(frozen=True)
class Explanation:
    """Everything there is to say about one subject and one offer as of an instant.

    `outcome` is one of granted, refused, superseded, merchant_cap, quota_exhausted, stopped, pending (claimed, not
    decided yet), no_claim, not_a_subject.
    """

    offer: str
    name: str
    subject: str
    merchant_code: str
    as_of: datetime
    outcome: str
    version: int
    status: str
    claimed_at: datetime | None
    place: int | None
    amount: Decimal | None
    currency: str
    review: str
    conditions: tuple[ConditionResult, ...]


def explain(offer: PublishedOffer, subject: str, *, at: datetime) -> Explanation:
    """Explain the offer's answer to `subject` (an order, draw or merchant code) as of the instant `at`.

    Raises claims.UnknownSubjectError.
    """
    found = explain_all(offer, [subject], at=at)
    if not found:
        raise claims.UnknownSubjectError(offer, subject)
    return found[0]


def explain_all(offer: PublishedOffer, subjects: Sequence[str], *, at: datetime) -> list[Explanation]:
    """Explain the offer's answer to each of `subjects` as of `at`, in their order; unknown ones are left out.

    One query, and one more for each older version that decided some of them.
    """
    rows = _rows(offer, subjects, at)
    other: dict[int, list[str]] = {}
    for subject, row in rows.items():
        decided_by = row["decided_version_id"]
        if decided_by is not None and decided_by != offer.version_id:
            other.setdefault(decided_by, []).append(subject)
    told = {subject: _explanation(offer, _number(offer), subject, row, at) for subject, row in rows.items()}
    for version in Version.objects.filter(pk__in=other) if other else ():  # by the wording that decided them
        older = PublishedOffer(offer.row, published_offers.terms_of(version))
        for subject, row in _rows(older, other[version.pk], at).items():
            told[subject] = _explanation(older, version.number, subject, row, at)
    return [told[subject] for subject in subjects if subject in told]


def _explanation(offer: PublishedOffer, number: int, subject: str, row: dict[str, Any], at: datetime) -> Explanation:
    decision = _decision(row)
    claimed = row["claims_at"] if row["claims_at"] and row["claims_at"] <= at else None
    reasons = [*_reasons(offer, row, decision), *_progress(offer, row, claimed)]
    return Explanation(
        offer=offer.code,
        name=str(offer.terms.names),
        subject=subject,
        merchant_code=row[offer.terms.collection.merchant],
        as_of=at,
        outcome=_outcome(offer, row, decision, claimed),
        version=number,
        status=row["granted_status"] or "",
        claimed_at=decision.claimed_at if decision else claimed,
        place=decision.place if decision else None,
        amount=row["granted_amount"],
        currency=row["granted_currency"] or "",
        review=row["granted_review"] or "",
        conditions=tuple(reasons),
    )


DECIDED = ("version_id", "claimed_at", "outcome", "failed", "place")


def _decision(row: dict[str, Any]) -> Decision | None:
    """The decision that stands beside the subject, if there is one."""
    found = {name: row[f"decided_{name}"] for name in DECIDED}
    return Decision(**found) if found["outcome"] is not None else None


def _rows(offer: PublishedOffer, subjects: Sequence[str], at: datetime) -> dict[str, dict[str, Any]]:
    """One query: each subject with its claim and decision, every condition's found and held, its grant as of `at`."""
    found = _asked(offer)(subjects=list(subjects), at=at)
    return {row["pk"]: {name: _as_seen(name, value, at) for name, value in row.items()} for row in found}


@compiled_query
def _asked(offer: PublishedOffer) -> tuple[claims.Rows, Callable[[tuple[Any, ...]], dict[str, Any]]]:
    terms, at = offer.terms, instant("at")
    rows = claims.all_rows(offer).filter(AnyOfParameter("pk", "subjects")).annotate(claims_at=claims.claimed_at(offer))
    due = LessThanOrEqual(F("claims_at"), at)
    rows = rows.annotate(claimed_at=Case(When(due, then=F("claims_at")), default=at))
    decided = terms.decision_instant
    rows = rows.annotate(seen_at=Least(claims.constant(decided), at) if decided else F("claimed_at"))
    currency = F("currency") if "currency" in terms.collection.facts else Value("")
    asked = {"progress": _found_progress(offer), "paid_in": currency, **_given(offer)}
    for n, condition in enumerate((*terms.scope, *terms.asked)):
        asked[f"held_{n}"] = as_boolean(condition.q(terms.row))
        asked[f"found_{n}"] = condition.observed(terms.row)
    names = ("pk", "claims_at", terms.collection.merchant, *asked)
    return rows.annotate(**asked).values_list(*names), lambda row: dict(zip(names, row, strict=True))


def _given(offer: PublishedOffer) -> dict[str, Any]:
    """What was decided of the subject by `at`, and its latest grant as it stood then, as expressions."""
    at = instant("at")
    mine = {"offer": offer.id, "subject": OuterRef("pk"), "claimed_at__lte": at}
    decisions = Decision.objects.filter(**mine)
    grants = Grant.objects.filter(**mine).order_by("-pk")
    states = JournalEntry.objects.filter(grant__offer=offer.id, grant__subject=OuterRef("pk"), at__lte=at)
    return {
        **{f"decided_{name}": Subquery(decisions.values(name)[:1]) for name in DECIDED},
        **{f"granted_{name}": Subquery(grants.values(name)[:1]) for name in ("amount", "currency", "review")},
        "granted_status": Subquery(states.order_by("-grant_id", "-pk").values("target")[:1]),
    }


def _as_seen(name: str, value: Any, at: datetime) -> Any:
    """A found value as of `at`: what is dated later has not happened; money has two decimals on every database."""
    if name.startswith("decided_"):
        return value
    if isinstance(value, datetime) and value > at:
        return None
    return round_to_cents(value) if isinstance(value, Decimal) else value


def _number(offer: PublishedOffer) -> int:
    return offer.row.version.number if offer.row.version else 0


def _outcome(offer: PublishedOffer, row: dict[str, Any], decision: Decision | None, claimed: datetime | None) -> str:
    if decision is not None:
        return OUTCOMES[Decision.Outcome(decision.outcome)]
    if not all(row[f"held_{n}"] for n in range(len(offer.terms.scope))):
        return "not_a_subject"
    return "pending" if claimed else "no_claim"


def _reasons(offer: PublishedOffer, row: dict[str, Any], decision: Decision | None) -> list[ConditionResult]:
    reasons = []
    scope = len(offer.terms.scope)
    for n, condition in enumerate((*offer.terms.scope, *offer.terms.asked)):
        now = bool(row[f"held_{n}"])
        held = now
        if decision is not None and n >= scope:
            held = not decision.failed & (1 << (n - scope))
        told = reason(condition, offer.terms.row, found=row[f"found_{n}"], held=held, currency=row["paid_in"])
        reasons.append(replace(told, holds_now=now if now != held else None))
    return reasons


def reason(condition: Condition, row: QueryRow, *, found: Any, held: bool, currency: str = "") -> ConditionResult:
    """A condition of a row told in words, with what was found and whether it held. `currency` is the row's own."""
    margin = "" if held else _margin(condition, found, row, currency)
    shown = sentences.describe_found(condition, row, found, currency=currency)
    return ConditionResult(condition.name, describe(condition, row), found, held, margin, shown)


def _margin(condition: Condition, found: Any, row: QueryRow, currency: str) -> str:
    """How much is missing, for conditions that are a matter of more or less."""
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


def _found_progress(offer: PublishedOffer) -> Any:
    """How far a merchant is on its way to an n-th row, or the sum an order's tag was given at."""
    match offer.terms.claim:
        case ClaimNth(nth=nth):
            return number_counted(nth)
        case _ if offer.terms.threshold is not None:
            tag = Tag.objects.filter(offer=offer.id, subject=OuterRef("pk"))
            return Subquery(tag.values("total")[:1])
        case _:
            return Value("")


def number_counted(nth: Nth) -> Any:
    """How many rows of an outer merchant count by its `seen_at`, as an expression."""
    counted = claims.counted(nth, decided=None).filter(**{f"{nth.at}__lte": OuterRef("seen_at")})
    return row_count(counted, merchant=COLLECTIONS[nth.of].merchant)


def _progress(offer: PublishedOffer, row: dict[str, Any], claimed: datetime | None) -> list[ConditionResult]:
    """What the claim itself waits for."""
    threshold = offer.terms.threshold
    if isinstance(offer.terms.claim, ClaimNth):
        return [nth_progress(offer.terms.claim.nth, row["progress"], claimed)]
    return [threshold_progress(threshold, row["progress"])] if threshold is not None else []


def threshold_progress(threshold: Threshold, total: Decimal | None) -> ConditionResult:
    """How far a merchant's receipts, before an order, are from the height."""
    missing = threshold.height - total if total is not None else None
    reached = missing is not None and missing <= 0
    required = _("receipts before this order of at least %(height)s") % {
        "height": format_money(threshold.height, "USD")
    }
    margin = _("%(n)s short") % {"n": format_money(missing, "USD")} if missing is not None and not reached else ""
    shown = format_money(total, "USD") if total is not None else _("nothing")
    return ConditionResult("threshold", required, total, reached, margin, shown)


def nth_progress(nth: Nth, found: int, claimed: datetime | None) -> ConditionResult:
    """How many of the rows that an n-th row is counted among are there, and how many are missing until when."""
    collection = COLLECTIONS[nth.of]
    which = join_and(describe_comparison(condition, QueryRow(collection)) for condition in nth.where)
    required = _("%(n)d %(rows)s with: %(which)s") % {"n": nth.number, "rows": collection.label, "which": which}
    missing = max(nth.number - found, 0)
    margin = ""
    if missing and claimed is None:
        margin = npgettext("still missing", "%(n)d more", "%(n)d more", missing) % {"n": missing}
        ends = [condition.within.to for condition in nth.where if condition.within and condition.fact == nth.at]
        if ends:
            margin = _("%(more)s by %(end)s") % {"more": margin, "end": describe_bound(ends[0])}
    shown = format_number(found)
    return ConditionResult("number", required, found, claimed is not None or not missing, margin, shown)
