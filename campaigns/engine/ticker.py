"""The tick: process all facts up to an instant, for every published offer. Nothing below reads a clock.

A tick may be killed at any commit, repeated, and run twice at once: each group of competing offers is processed in one
transaction that locks their rows, and a decided claim is not decided again. A step that fails stops no other step.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from campaigns.eligibility.quarantined import claims_step
from campaigns.engine import claim_step, coupon_steps, quarantine, quarantine_entries, unreadable_offers
from campaigns.models import Issuance, TickRun
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db import planner_hints
from core.db.errors import is_transient
from core.instants import is_accepted
from imports.models import ImportBatch

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
    batches = tuple(ImportBatch.objects.filter(processed=False).values_list("pk", flat=True))
    published, unreadable = published_offers.read_all()
    groups = published_offers.competing(published)
    quarantine_entries.tidy(published)
    unreadable_offers.record(unreadable, groups, at=run.at)
    steps = Steps()
    # Offers of coupons first, then the coupons on orders, then discounts: a coupon on an order takes the freight fee.
    complete = [_claims(group, batches, run, steps) for group in groups if not group[0].terms.fee]
    complete.append(_coupons(published, batches, run, steps))
    without_coupons = not steps.all_ran
    for group in groups:
        if group[0].terms.fee == "freight" and without_coupons:  # a coupon may take the fee first
            steps.skipped.append(claims_step(group[0]))
        elif group[0].terms.fee:
            complete.append(_claims(group, batches, run, steps))
    _notify(published, run.at, steps)
    if steps.errors:
        raise steps.errors[0]
    if all(complete) and not steps.skipped:
        ImportBatch.objects.filter(pk__in=batches).update(processed=True)
    run.finished_at, run.skipped_steps = run.at, ", ".join(steps.skipped)[:2000]
    run.save()


def _claims(group: list[PublishedOffer], batches: tuple[int, ...], run: TickRun, steps: Steps) -> bool:
    progress = [(offer.version_id, offer.row.claims_decided_until, offer.row.grants_followed_until) for offer in group]
    return bool(_attempt(claims_step(group[0]), progress, partial(_process, group, batches, run), steps))


def _attempt(name: str, progress: object, work: Callable[[], int], steps: Steps, *, shared: bool = False) -> int:
    """Run a step unless it is in quarantine. Returns 0 if it did not run, or failed. Raises transient errors."""
    try:
        done = quarantine.run_guarded(name, progress, work, shared=shared)
    except Exception as error:
        if is_transient(error):
            raise  # the other steps would fail like this one
        logger.exception("a step of the tick failed: %s", name)
        steps.errors.append(error)
        return 0
    if done is None:
        steps.skipped.append(name)
    return done or 0


def sweep(*, at: datetime) -> None:
    """Tick if a queued tick was lost with its broker or worker: coupons are not issued, or imports not processed."""
    if coupon_steps.owed(at=at) or ImportBatch.objects.filter(processed=False).exists():
        tick(at=at)


def _process(group: list[PublishedOffer], batches: tuple[int, ...], run: TickRun) -> bool:
    """Bring competing offers up to the run's instant.

    Returns false if they have been processed further already, or if their claims must wait.
    """
    done = claim_step.process(claim_step.Work(claims_step(group[0]), group, batches, run.at))
    run.moved += done.moved
    run.decided += done.decided
    return done.complete


def _coupons(published: list[PublishedOffer], batches: tuple[int, ...], run: TickRun, steps: Steps) -> bool:
    """Issue planned coupons, then follow their use. Returns false if their use has been followed further already."""
    marks = {row.offer_id: row for row in Issuance.objects.all()}
    for offer in published:
        row = marks.get(offer.id)
        if row is None or row.issued >= row.planned:
            continue
        progress = (row.issued, row.planned)
        issue = partial(coupon_steps.issue, offer, at=run.at)
        run.issued += _attempt(f"coupons: {offer.code}", progress, issue, steps, shared=True)
    spent = [row.spent_until for row in marks.values()]
    follow_use = partial(coupon_steps.follow_use, published, batches, at=run.at)
    return not spent or bool(_attempt(coupon_steps.COUPON_USE, spent, follow_use, steps))


def _notify(published: list[PublishedOffer], at: datetime, steps: Steps) -> None:
    """Publish that coupons expire soon: last, because nothing depends on it."""
    for row in Issuance.objects.exclude(warned_until__gte=at).order_by("pk"):
        for offer in published:
            if offer.id == row.offer_id and offer.terms.bundle:
                notify = partial(coupon_steps.notify, offer, at=at)
                _attempt(f"expiry notices: {offer.code}", row.warned_until, notify, steps)
