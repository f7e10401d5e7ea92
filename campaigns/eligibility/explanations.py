"""Explanations: each condition of an offer, with what it required and found, for one subject, in one query.

Where there is a decision, the recorded results are shown. Otherwise the conditions are evaluated as if the subject
claimed at the instant asked about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Least
from django.db.models.lookups import IsNull, LessThanOrEqual

from campaigns.eligibility import claims, quarantined
from campaigns.eligibility.band_results import band_result, next_period
from campaigns.eligibility.condition_results import (
    ConditionResult,
    WordedCondition,
    nth_progress,
    number_counted,
    threshold_progress,
)
from campaigns.eligibility.requirements import fact_of
from campaigns.models import Decision, Grant, JournalEntry, QuarantineEntry, Tag, Version
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from core.money import round_to_cents
from declarations.stored_values import plain_number
from definitions.claim_terms import ClaimNth
from rules.conditions import AnyOf, InForce
from rules.query_row import as_boolean

OUTCOMES = {
    Decision.Outcome.GRANTED: "granted",
    Decision.Outcome.REFUSED: "refused",
    Decision.Outcome.SUPERSEDED: "superseded",
    Decision.Outcome.MERCHANT_CAP: "merchant_cap",
    Decision.Outcome.QUOTA_EXHAUSTED: "quota_exhausted",
    Decision.Outcome.STOPPED: "stopped",
    Decision.Outcome.HOLDER_CAP: "holder_cap",
}


@dataclass(frozen=True)
class Explanation:
    """Explanation of one offer's answer to one subject as of an instant.

    `outcome` is one of granted, refused, superseded, merchant_cap, quota_exhausted, stopped, pending (claimed, not
    decided yet), before_opening (claimed before the offer opened: there is no decision), no_claim, not_a_subject. While
    the subject waits in quarantine it is pending: nothing is evaluated, because that may be what failed, and `error` is
    for operators. `decides_at` is when a pending claim will be decided, where that was asked. `benefit` is what the
    benefit came to, where a budget had less left than that. Where a band of the quota refused the claim, it is the last
    of the `conditions`, and `next_period` is when its next period begins, if it has one.
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
    quarantined_since: datetime | None = None
    error: str = ""
    decides_at: datetime | None = None
    benefit: Decimal | None = None
    next_period: datetime | None = None


def explain(offer: PublishedOffer, subject: str, *, at: datetime) -> Explanation:
    """Explain the offer's answer to `subject` (an order, draw or merchant code) as of the instant `at`.

    Raises claims.UnknownSubjectError.
    """
    explanations = explain_all(offer, [subject], at=at)
    if not explanations:
        raise claims.UnknownSubjectError(offer, subject)
    return explanations[0]


def explain_all(
    offer: PublishedOffer, subjects: Sequence[str], *, at: datetime, anew: bool = False
) -> list[Explanation]:
    """Explain the offer's answer to each of `subjects` as of `at`, in their order; unknown ones are left out.

    `anew` evaluates every condition as if the subjects claimed at `at`, and leaves out claims and decisions. One query,
    and one more for each older version that decided some of the subjects.
    """
    waiting = quarantined.waiting(offer, subjects)
    known = [subject for subject in subjects if subject not in waiting]
    rows = _rows(offer, known, at, anew=anew)
    worded = _worded(offer) if rows else []
    explained = {
        subject: _explanation(offer, subject, row, at, number=_number(offer), worded=worded)
        for subject, row in rows.items()
    }
    # A decision is explained by the version that decided: its conditions may have other texts, order and number.
    by_version: dict[int, list[str]] = {}
    for subject, row in rows.items():
        if row["decided_version_id"] not in (None, offer.version_id):
            by_version.setdefault(row["decided_version_id"], []).append(subject)
    for version in Version.objects.filter(pk__in=by_version) if by_version else ():
        older = offer.under(version)
        worded = _worded(older)
        for subject, row in _rows(older, by_version[version.pk], at).items():
            explained[subject] = _explanation(older, subject, row, at, number=version.number, worded=worded)
    explained |= _pending(offer, waiting, at)
    return [explained[subject] for subject in subjects if subject in explained]


def _worded(offer: PublishedOffer) -> list[WordedCondition]:
    """Return the conditions of an offer in words, which are the same for all subjects."""
    return [WordedCondition.of(condition, offer.terms.row) for condition in (*offer.terms.scope, *offer.terms.asked)]


def _explanation(
    offer: PublishedOffer,
    subject: str,
    row: dict[str, Any],
    at: datetime,
    *,
    number: int,
    worded: Sequence[WordedCondition],
) -> Explanation:
    decision = _decision(row)
    claimed = row["claims_at"] if row["claims_at"] and row["claims_at"] <= at else None
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
        place=decision.queue_position if decision else None,
        amount=row["granted_amount"],
        currency=row["granted_currency"] or "",
        review=row["granted_review"] or "",
        conditions=(
            *_results(offer, worded, row, decision),
            *_progress(offer, row, claimed),
            *_band(offer, decision, subject),
        ),
        benefit=row["granted_benefit"],
        next_period=next_period(offer.terms, decision),
    )


def _pending(offer: PublishedOffer, waiting: Mapping[str, QuarantineEntry], at: datetime) -> dict[str, Explanation]:
    """Return the explanations of subjects that wait in quarantine."""
    return {
        subject: Explanation(
            offer=offer.code,
            name=str(offer.terms.names),
            subject=subject,
            merchant_code=merchant,
            as_of=at,
            outcome="pending",
            version=_number(offer),
            status="",
            claimed_at=None,
            place=None,
            amount=None,
            currency="",
            review="",
            conditions=(),
            quarantined_since=waiting[subject].since,
            error=str(waiting[subject].error),
        )
        for subject, merchant in (claims.owners(offer, list(waiting)) if waiting else {}).items()
    }


DECIDED = ("version_id", "claimed_at", "outcome", "failed", "queue_position", "band", "exceeded_by")


def _decision(row: dict[str, Any]) -> Decision | None:
    """Return the decision that the row holds, unsaved; None without one."""
    values = {name: row[f"decided_{name}"] for name in DECIDED}
    return Decision(**values) if values["outcome"] is not None else None


def _rows(
    offer: PublishedOffer, subjects: Sequence[str], at: datetime, *, anew: bool = False
) -> dict[str, dict[str, Any]]:
    """Return by subject its claim, decision, grant and the values of all conditions as of `at`, in one query."""
    rows = _query(offer, anew)(subjects=list(subjects), at=at)
    numbers = _declared_numbers(offer)
    known = {row["pk"]: {name: _as_of(name, value, at, numbers) for name, value in row.items()} for row in rows}
    return {pk: row | UNDECIDED for pk, row in known.items()} if anew else known


UNDECIDED: dict[str, Any] = dict.fromkeys(
    "claims_at decided_outcome decided_version_id granted_status granted_amount granted_currency granted_review "
    "granted_benefit".split()
)
"""Values of a subject whose claim, decision and grant are left out."""


@compiled_query
def _query(offer: PublishedOffer, anew: bool) -> tuple[claims.Rows, Callable[[tuple[Any, ...]], dict[str, Any]]]:
    terms, at = offer.terms, instant("at")
    rows = claims.all_rows(offer).filter(AnyOfParameter("pk", "subjects"))
    rows = claims.with_claimed_at(offer, rows, name="claims_at")
    # A key is never null: anew, no claim counts, and the type of the result is still that of the column.
    due = IsNull(F("pk"), True) if anew else LessThanOrEqual(F("claims_at"), at)
    rows = rows.annotate(claimed_at=Case(When(due, then=F("claims_at")), default=at))
    decided = None if anew else terms.decision_instant
    rows = rows.annotate(seen_at=Least(claims.constant(decided), at) if decided else F("claimed_at"))
    currency = F("currency") if "currency" in terms.collection.facts else Value("")
    asked = {"progress": _found_progress(offer), "paid_in": currency, **_decided(offer)}
    for n, condition in enumerate((*terms.scope, *terms.asked)):
        asked[f"passed_{n}"] = as_boolean(condition.q(terms.row))
        asked[f"found_{n}"] = condition.observed(terms.row)
    names = ("pk", "claims_at", terms.collection.merchant, *asked)
    return rows.annotate(**asked).values_list(*names), lambda row: dict(zip(names, row, strict=True))


def _decided(offer: PublishedOffer) -> dict[str, Any]:
    """Return expressions for the decision of the subject by `at`, and for its latest grant as it stood then."""
    at = instant("at")
    mine = {"offer": offer.id, "subject": OuterRef("pk"), "claimed_at__lte": at}
    decisions = Decision.objects.filter(**mine)
    grants = Grant.objects.filter(**mine).order_by("-pk")
    states = JournalEntry.objects.filter(grant__offer=offer.id, grant__subject=OuterRef("pk"), at__lte=at)
    return {
        **{f"decided_{name}": Subquery(decisions.values(name)[:1]) for name in DECIDED},
        **{
            f"granted_{name}": Subquery(grants.values(name)[:1]) for name in ("amount", "currency", "review", "benefit")
        },
        "granted_status": Subquery(states.order_by("-grant_id", "-pk").values("target")[:1]),
    }


def _declared_numbers(offer: PublishedOffer) -> set[str]:
    """Return the names of the values that are declared numbers, which have four decimals."""
    conditions = enumerate((*offer.terms.scope, *offer.terms.asked))
    shown = ((n, condition.any[-1] if isinstance(condition, AnyOf) else condition) for n, condition in conditions)
    facts = ((n, fact_of(condition, offer.terms.row)) for n, condition in shown)
    return {f"found_{n}" for n, fact in facts if fact and fact.decimals}


def _as_of(name: str, value: object, at: datetime, numbers: set[str]) -> Any:
    """Return a value as of `at`: a later instant has not happened yet. Money gets two decimals on every database."""
    if name.startswith("decided_"):
        return value
    if isinstance(value, datetime) and value > at:
        return None
    if isinstance(value, Decimal):
        return plain_number(value) if name in numbers else round_to_cents(value)
    return value


def _number(offer: PublishedOffer) -> int:
    return offer.row.version.number if offer.row.version else 0


def _outcome(offer: PublishedOffer, row: dict[str, Any], decision: Decision | None, claimed: datetime | None) -> str:
    if decision is not None:
        return OUTCOMES[Decision.Outcome(decision.outcome)]
    if not all(row[f"passed_{n}"] for n in range(len(offer.terms.scope))):
        return "not_a_subject"
    if claimed is None:
        return "no_claim"
    opening = schedule.first_claim(offer.terms)
    return "before_opening" if opening and claimed < opening else "pending"


def _results(
    offer: PublishedOffer, worded: Sequence[WordedCondition], row: dict[str, Any], decision: Decision | None
) -> list[ConditionResult]:
    results = []
    scope = len(offer.terms.scope)
    for n, one in enumerate(worded):
        condition = one.condition
        now = bool(row[f"passed_{n}"])
        passed = now
        if decision is not None and n >= scope:  # the scope decides who is a subject and is never recorded as failed
            passed = not decision.failed & (1 << (n - scope))
        result = one.result(found=row[f"found_{n}"], passed=passed, currency=row["paid_in"])
        if not (isinstance(condition, InForce) and condition.is_barring and passed and now):
            results.append(replace(result, holds_now=now if now != passed else None))
    return results


def _band(offer: PublishedOffer, decision: Decision | None, subject: str) -> list[ConditionResult]:
    """Return the result of the band that refused the claim, if one did."""
    if decision is None or decision.band is None:
        return []
    return [band_result(offer, decision, subject)]


def _found_progress(offer: PublishedOffer) -> Any:
    """Return an expression for the rows counted towards an n-th, or for the sum at which an order was tagged."""
    match offer.terms.claim:
        case ClaimNth(nth=nth):
            return number_counted(nth)
        case _ if offer.terms.threshold is not None:
            tag = Tag.objects.filter(offer=offer.id, subject=OuterRef("pk"))
            return Subquery(tag.values("total")[:1])
        case _:
            return Value("")


def _progress(offer: PublishedOffer, row: dict[str, Any], claimed: datetime | None) -> list[ConditionResult]:
    """Return the progress towards the claim itself, for offers that count rows or have a threshold."""
    threshold = offer.terms.threshold
    if isinstance(offer.terms.claim, ClaimNth):
        return [nth_progress(offer.terms.claim.nth, row["progress"], claimed)]
    return [threshold_progress(threshold, row["progress"])] if threshold is not None else []
