"""The tick: process all facts up to an instant, for every published offer. Nothing below reads a clock.

A tick may be killed at any commit, repeated, and run twice at once: each group of competing offers is processed in one
transaction that locks their rows, and a decided claim is not decided again.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F

from campaigns.coupons import expiry_notices, issuing, redemption
from campaigns.eligibility import claims
from campaigns.eligibility.changes import Changes
from campaigns.engine import claim_decisions, follow_grants, quarantine
from campaigns.models import Issuance, Offer, TickRun
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db import planner_hints
from core.instants import is_accepted
from imports.models import ImportBatch

COUPON_USE = "coupons used"
logger = logging.getLogger(__name__)


def tick(*, at: datetime) -> TickRun:
    """Process grants, claims and coupons up to `at`. Returns the run with its counts.

    Offers that were processed beyond `at` are left as they are: time never runs back. Raises ValueError if `at` is not
    an accepted instant.
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
    published = published_offers.published()
    groups = published_offers.competing(published)
    skipped_steps: list[str] = []
    # Offers of coupons first, then the coupons on orders, then discounts: a coupon on an order takes the freight fee.
    complete = [_claims(group, batches, run, skipped_steps) for group in groups if not group[0].terms.fee]
    complete.append(_coupons(published, batches, run, skipped_steps))
    without_coupons = bool(skipped_steps)
    for group in groups:
        if group[0].terms.fee == "freight" and without_coupons:  # a coupon may take the fee first
            skipped_steps.append(_name(group))
        elif group[0].terms.fee:
            complete.append(_claims(group, batches, run, skipped_steps))
    if all(complete) and not skipped_steps:
        ImportBatch.objects.filter(pk__in=batches).update(processed=True)
    run.finished_at, run.skipped_steps = run.at, ", ".join(skipped_steps)[:2000]
    run.save()


def _name(group: list[PublishedOffer]) -> str:
    return f"claims: {group[0].terms.fee or group[0].code}"


def _claims(group: list[PublishedOffer], batches: tuple[int, ...], run: TickRun, skipped_steps: list[str]) -> bool:
    progress = [(offer.version_id, offer.row.claims_decided_until, offer.row.grants_followed_until) for offer in group]
    return bool(_attempt(_name(group), progress, partial(_process, group, batches, run), skipped_steps))


def _attempt(
    name: str, progress: object, work: Callable[[], int], skipped_steps: list[str], *, shared: bool = False
) -> int:
    done = quarantine.run_guarded(name, progress, work, shared=shared)
    if done is None:
        skipped_steps.append(name)
    return done or 0


def sweep(*, at: datetime) -> None:
    """Tick if a queued tick was lost with its broker or worker: coupons are not issued, or imports not processed."""
    owed = Issuance.objects.filter(issued__lt=F("planned")).exists()
    late = ImportBatch.objects.filter(processed=False).exists()
    if owed or late:
        tick(at=at)


@transaction.atomic
def _process(group: list[PublishedOffer], batches: tuple[int, ...], run: TickRun) -> bool:
    """Follow the grants of competing offers to the run's instant, then decide their claims.

    Returns false if they have been processed further already, or if their claims must wait.
    """
    planner_hints.plan_for_all_rows()
    group = published_offers.hold(group)
    until = claims.decision_cutoff(group, run.at)
    since = [offer.row.claims_decided_until for offer in group if offer.row.claims_decided_until is not None]
    followed = [offer.row.grants_followed_until for offer in group if offer.row.grants_followed_until is not None]
    if max(followed, default=run.at) > run.at:
        return False
    for offer in group:
        run.moved += follow_grants.follow(offer, Changes(offer.row.grants_followed_until, run.at, batches))
    marks: dict[str, object] = {"grants_followed_until": run.at}
    # A new version may have a longer settling delay: claims wait until that has passed.
    ready = max(since, default=until) <= until
    if ready:
        run.decided += claim_decisions.decide(group, Changes(max(since, default=None), until, batches), at=run.at)
        marks |= {"claims_decided_until": until, "reevaluate_all": False}
    Offer.objects.filter(pk__in=[offer.id for offer in group]).update(**marks)
    return ready


def _coupons(published: list[PublishedOffer], batches: tuple[int, ...], run: TickRun, skipped_steps: list[str]) -> bool:
    """Issue planned coupons, then follow their use. Returns false if their use has been followed further already."""
    marks = {row.offer_id: row for row in Issuance.objects.all()}
    for offer in published:
        row = marks.get(offer.id)
        if row is None or row.issued >= row.planned:
            continue
        progress = (row.issued, row.planned)
        run.issued += _attempt(
            f"coupons: {offer.code}", progress, partial(issuing.issue, offer), skipped_steps, shared=True
        )
    spent = [row.spent_until for row in marks.values()]
    follow_use = partial(_follow_use, published, batches, run)
    return not spent or bool(_attempt(COUPON_USE, spent, follow_use, skipped_steps))


def _follow_use(published: list[PublishedOffer], batches: tuple[int, ...], run: TickRun) -> bool:
    followed = redemption.follow(at=run.at, batches=batches)
    for offer in published:
        if offer.terms.bundle:
            expiry_notices.publish_notices(offer, at=run.at)
    return followed
