"""The tick: process all facts up to an instant, for every published offer. Nothing below reads a clock.

A tick may be killed at any commit, repeated, and run twice at once: each group of competing offers is processed in one
transaction that locks their rows, and a decided claim is not decided again. A step that fails stops no other step.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from campaigns.allowances.published import UseGroup
from campaigns.coupons import fee_precedence
from campaigns.eligibility.quarantined import claims_step
from campaigns.engine import (
    allowance_steps,
    claim_step,
    coupon_steps,
    quarantine,
    quarantine_entries,
    rating_step,
    recurring_claims,
    unreadable_offers,
)
from campaigns.models import Attachment, Issuance, TickRun
from campaigns.offers import documents, published_offers
from campaigns.offers.published_offers import PublishedOffer
from campaigns.scorecards import evaluation
from core.db import planner_hints
from core.db.errors import is_transient
from core.facts import FEES
from core.instants import is_accepted
from imports.models import ImportBatch

COUPON_STOPS = "coupons and claims"
COUPONS_WAITING = "coupons waiting"
T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass
class Steps:
    """Results of the steps of a run: the names of those skipped, and the errors of those that failed."""

    skipped: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def all_ran(self) -> bool:
        """True if no step was skipped or failed."""
        return not (self.skipped or self.errors)


def tick(*, at: datetime) -> TickRun:
    """Process grants, claims and coupons up to `at`. Returns the run with its counts.

    Offers that were processed beyond `at` are left as they are: time never runs back. Raises ValueError if `at` is not
    an accepted instant, and the error of the first step that failed, after the other steps.
    """
    if not is_accepted(at):
        raise ValueError(f"{at} is not between the years 1970 and 2200")
    run = TickRun.objects.create(at=at)
    with structlog.contextvars.bound_contextvars(run=run.pk):
        _run_steps(run)
        logger.info("ticked", extra={"decided": run.decided, "moved": run.moved, "issued": run.issued})
    return run


def _run_steps(run: TickRun) -> None:
    planner_hints.analyze_grown_tables()
    steps = Steps()
    rated = _rate(run.at, steps)
    batches = _unprocessed()  # with the ratings: what rests on them is evaluated again
    published, unreadable = published_offers.read_all()
    groups = published_offers.competing(published)
    quarantine_entries.tidy(published)
    unreadable_offers.record(unreadable, groups, at=run.at)
    for offer in published:
        if offer.terms.recurrence:
            batches += _write_recurring(offer, batches, run, steps)
    # Offers of coupons first, then the coupons on orders, then discounts: a coupon on an order takes the fee.
    complete = [rated, *(_claims(group, run.at, batches, run, steps) for group in groups if not group[0].terms.fee)]
    _issue_coupons(published, run, steps)
    complete.append(_with_coupons(published, batches, run, steps))
    for group in groups:
        if group[0].terms.fee and not _takes_coupons(group[0]):
            complete.append(_claims(group, run.at, batches, run, steps))
    complete += _uses(batches, run, steps)
    _notify(published, run.at, steps)
    if steps.errors:
        raise steps.errors[0]
    if all(complete) and not steps.skipped:
        ImportBatch.objects.filter(pk__in=batches).update(processed=True)
    run.finished_at, run.skipped_steps = run.at, ", ".join(steps.skipped)[:2000]
    run.save()


def _write_recurring(offer: PublishedOffer, batches: tuple[int, ...], run: TickRun, steps: Steps) -> tuple[int, ...]:
    """Write the subjects of an offer that recur. Returns the batches that the claims must look at too."""
    write = partial(recurring_claims.write_due, offer, at=run.at, batches=batches)
    return _attempt(f"periods: {offer.code}", offer.version_id, write, steps) or ()


def _uses(batches: tuple[int, ...], run: TickRun, steps: Steps) -> list[bool]:
    """Decide the requests for allowances and the uses of each name."""
    since = allowance_steps.progress()
    groups = allowance_steps.groups()
    return [_decide_uses(group, since.get(group.use), batches, run, steps) for group in groups]


def _decide_uses(group: UseGroup, since: datetime | None, batches: tuple[int, ...], run: TickRun, steps: Steps) -> bool:
    versions = [allowance.version_id for allowance in group.allowances]
    decide = partial(allowance_steps.decide, group, batches, at=run.at)
    complete, decided = _attempt(allowance_steps.step_name(group), (versions, since), decide, steps) or (False, 0)
    run.decided += decided
    return complete


def _takes_coupons(offer: PublishedOffer) -> bool:
    return bool(offer.terms.fee) and FEES[offer.terms.fee].takes_coupons


def _unprocessed() -> tuple[int, ...]:
    return tuple(ImportBatch.objects.filter(processed=False).values_list("pk", flat=True))


def _rate(at: datetime, steps: Steps) -> bool:
    """Bring the ratings of every scorecard up to an instant. Returns false if one could not be."""
    batches = _unprocessed()
    done = []
    for document in documents.published("scorecards"):
        follow = partial(rating_step.follow, document, batches, at=at)
        done.append(_attempt(rating_step.step_name(document), evaluation.progress(document), follow, steps))
    return None not in done


def _claims(
    group: list[PublishedOffer],
    at: datetime,
    batches: tuple[int, ...],
    run: TickRun,
    steps: Steps,
    *,
    followed: bool = False,
) -> bool:
    progress = [(offer.version_id, offer.row.claims_decided_until) for offer in group]
    return bool(_attempt(claims_step(group[0]), progress, partial(_process, group, at, batches, run, followed), steps))


def _attempt(name: str, progress: object, work: Callable[[], T], steps: Steps, *, shared: bool = False) -> T | None:
    """Run a step unless it is in quarantine. Returns None if it did not run, or failed. Raises transient errors."""
    try:
        done = quarantine.run_guarded(name, progress, work, shared=shared)
    except Exception as error:
        if is_transient(error):
            raise  # the other steps would fail like this one
        logger.exception("a step of the tick failed: %s", name)
        steps.errors.append(error)
        return None
    if done is None:
        steps.skipped.append(name)
    return done


def sweep(*, at: datetime) -> None:
    """Tick if a queued tick was lost with its broker or worker: coupons are not issued, or imports not processed."""
    if coupon_steps.owed(at=at) or ImportBatch.objects.filter(processed=False).exists():
        tick(at=at)


def _process(
    group: list[PublishedOffer], at: datetime, batches: tuple[int, ...], run: TickRun, followed: bool = False
) -> bool:
    """Bring competing offers up to an instant; `followed`: a step before has followed their grants.

    Returns false if they have been processed further already, or if their claims must wait.
    """
    return _count(claim_step.Work(claims_step(group[0]), group, batches, at, followed=followed), run)


def _follow(group: list[PublishedOffer], at: datetime, batches: tuple[int, ...], run: TickRun) -> bool:
    """Follow the grants of competing offers to an instant. Returns false if they have been followed further already."""
    return _count(claim_step.Work(claims_step(group[0]), group, batches, at, decides=False), run)


def _count(work: claim_step.Work, run: TickRun) -> bool:
    done = claim_step.process(work)
    run.moved += done.moved
    run.decided += done.decided
    return done.complete


def _with_coupons(published: list[PublishedOffer], batches: tuple[int, ...], run: TickRun, steps: Steps) -> bool:
    """Bring coupons on orders, and grants and claims on the fees that they reduce, up to the run's instant.

    They are first brought up to instants at which a claim must be decided before a coupon is attached.
    """
    offers = [offer for offer in published if _takes_coupons(offer)]
    spent = list(Issuance.objects.values_list("spent_until", flat=True))
    stops: list[datetime] | None = []
    if offers and spent and steps.all_ran:
        progress = [*spent, *(offer.row.claims_decided_until for offer in offers)]
        find = partial(fee_precedence.stops, offers, at=run.at, batches=batches)
        stops = _attempt(COUPON_STOPS, progress, find, steps)
    complete = False
    for at in (*(stops or ()), run.at):
        complete = _with_coupons_until(at, batches, run, steps)
        if not steps.all_ran:
            break
    return complete


def _with_coupons_until(at: datetime, batches: tuple[int, ...], run: TickRun, steps: Steps) -> bool:
    published = published_offers.published()
    groups = published_offers.competing([offer for offer in published if _takes_coupons(offer)])
    spent = list(Issuance.objects.values_list("spent_until", flat=True))
    complete = [_follow_first(group, at, batches, run, steps) for group in groups if spent]
    if spent and None in complete:  # a grant that has ended would keep its order from a coupon
        steps.skipped.append(coupon_steps.COUPON_USE)
    elif spent:
        use = partial(coupon_steps.follow_use, published, batches, at=at)
        complete.append(bool(_attempt(coupon_steps.COUPON_USE, spent, use, steps)))
    may_decide = steps.all_ran  # otherwise a coupon may take the fee first
    for group in groups:
        if may_decide:
            complete.append(_claims(group, at, batches, run, steps, followed=bool(spent)))
        else:
            steps.skipped.append(claims_step(group[0]))
    if groups and may_decide:
        _ask_again(published, at, steps)
    return all(complete) and (may_decide or not groups)


def _follow_first(
    group: list[PublishedOffer], at: datetime, batches: tuple[int, ...], run: TickRun, steps: Steps
) -> bool | None:
    """Follow the grants of competing offers before the coupons on orders. Returns None if that failed."""
    progress = [(offer.version_id, offer.row.grants_followed_until) for offer in group]
    follow = partial(_follow, group, at, batches, run)
    return _attempt(f"grants: {group[0].terms.fee}", progress, follow, steps)


def _ask_again(published: list[PublishedOffer], at: datetime, steps: Steps) -> None:
    """Let orders that waited for claims decided now have their coupons."""
    waiting = list(Attachment.objects.filter(waits=True).order_by("pk").values_list("pk", flat=True))
    if waiting:
        _attempt(COUPONS_WAITING, waiting, partial(coupon_steps.follow_use, published, (), at=at), steps)


def _issue_coupons(published: list[PublishedOffer], run: TickRun, steps: Steps) -> None:
    """Issue planned coupons."""
    marks = {row.offer_id: row for row in Issuance.objects.all()}
    for offer in published:
        row = marks.get(offer.id)
        if row is None or row.issued >= row.planned:
            continue
        progress = (row.issued, row.planned)
        issue = partial(coupon_steps.issue, offer, at=run.at)
        run.issued += _attempt(f"coupons: {offer.code}", progress, issue, steps, shared=True) or 0


def _notify(published: list[PublishedOffer], at: datetime, steps: Steps) -> None:
    """Publish that coupons expire soon: last, because nothing depends on it."""
    for row in Issuance.objects.exclude(warned_until__gte=at).order_by("pk"):
        for offer in published:
            if offer.id == row.offer_id and offer.terms.bundle:
                notify = partial(coupon_steps.notify, offer, at=at)
                _attempt(f"expiry notices: {offer.code}", row.warned_until, notify, steps)
