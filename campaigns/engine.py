"""`tick`: the only engine. It brings every published campaign up to an instant; nothing below reads a clock.

Safe to kill at any commit, to repeat and to run twice at once: a group of competing offers is decided in one
transaction that holds its offers' rows, and what is decided is not asked again.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from campaigns import claims, coupons, deciding, expiring, following, offers, planning, steps
from campaigns.discovery import News, Only
from campaigns.models import Issuance, Offer, Run
from campaigns.offers import Published
from merchants.kept import kept
from merchants.models import Batch

SPENDING = "coupons used"
logger = logging.getLogger(__name__)


def tick(*, at: datetime) -> Run:
    """Bring everything up to `at`: grants, claims, coupons. Returns the run, with what it did.

    Time never runs back: offers already decided beyond `at` are left as they are.
    """
    run = Run.objects.create(at=at)
    with structlog.contextvars.bound_contextvars(run=run.pk):
        _bring_everything_up(run)
        logger.info("ticked", extra={"decided": run.decided, "moved": run.moved, "issued": run.issued})
    return run


def _bring_everything_up(run: Run) -> None:
    batches = tuple(Batch.objects.filter(absorbed=False).values_list("pk", flat=True))
    published = offers.published()
    groups = offers.competing(published)
    left_out: list[str] = []
    looked = [_claims(group, batches, run, left_out) for group in groups if not group[0].terms.fee]
    looked.append(_coupons(published, batches, run, left_out))
    without_coupons = bool(left_out)
    for group in groups:
        if group[0].terms.fee == "freight" and without_coupons:  # a coupon may take the fee first
            left_out.append(_name(group))
        elif group[0].terms.fee:
            looked.append(_claims(group, batches, run, left_out))
    if all(looked) and not left_out:
        Batch.objects.filter(pk__in=batches).update(absorbed=True)
    run.finished_at, run.left_out = run.at, ", ".join(left_out)[:2000]
    run.save()


def _name(group: list[Published]) -> str:
    return f"claims: {group[0].terms.fee or group[0].code}"


def _claims(group: list[Published], batches: tuple[int, ...], run: Run, left_out: list[str]) -> bool:
    progress = [(offer.version_id, offer.row.decided_until, offer.row.moved_until) for offer in group]
    return bool(_attempt(_name(group), progress, partial(_bring_up, group, batches, run), left_out))


def _attempt(name: str, progress: object, work: Callable[[], int], left_out: list[str], *, shared: bool = False) -> int:
    done = steps.attempt(name, progress, work, shared=shared)
    if done is None:
        left_out.append(name)
    return done or 0


def sweep(*, at: datetime) -> None:
    """Do what was lost with a broker or a worker: whatever is owed by `at` and not done is done by a tick."""
    owed = Issuance.objects.filter(issued__lt=F("planned")).exists()
    late = Batch.objects.filter(absorbed=False).exists()
    if owed or late:
        tick(at=at)


def spend(orders: Sequence[str], *, merchants: Sequence[str], at: datetime) -> bool:
    """Follow at once how some merchants' coupons are spent. False where a tick has followed all coupons beyond `at`."""
    return _spend(at, (), Only(tuple(orders), tuple(merchants)))


@transaction.atomic
def _bring_up(group: list[Published], batches: tuple[int, ...], run: Run) -> bool:
    """Follow the grants of competing offers to the run's instant, then decide their claims.

    Returns whether that was done: not where they have been brought further already.
    """
    planning.read_to_the_end()
    group = offers.hold(group)
    until = claims.horizon(group, run.at)
    since = [offer.row.decided_until for offer in group if offer.row.decided_until is not None]
    moved = [offer.row.moved_until for offer in group if offer.row.moved_until is not None]
    if max(moved, default=run.at) > run.at:
        return False
    for offer in group:
        run.moved += following.follow(offer, News(offer.row.moved_until, run.at, batches))
    marks: dict[str, object] = {"moved_until": run.at}
    ready = max(since, default=until) <= until  # else a longer delay than before: claims wait until it has passed
    if ready:
        run.decided += deciding.decide(group, News(max(since, default=None), until, batches), at=run.at)
        marks |= {"decided_until": until, "ask_all": False}
    Offer.objects.filter(pk__in=[offer.id for offer in group]).update(**marks)
    return ready


def _coupons(published: list[Published], batches: tuple[int, ...], run: Run, left_out: list[str]) -> bool:
    """Issue what is owed, then follow how coupons are spent. Returns False where that was followed further already."""
    marks = {row.offer_id: row for row in Issuance.objects.all()}
    for offer in published:
        row = marks.get(offer.id)
        if row is None or row.issued >= row.planned:
            continue
        progress = (row.issued, row.planned)
        run.issued += _attempt(f"coupons: {offer.code}", progress, partial(coupons.issue, offer), left_out, shared=True)
    spent = [row.spent_until for row in marks.values()]
    use = partial(_use, published, batches, run)
    return not spent or bool(_attempt(SPENDING, spent, use, left_out))


def _use(published: list[Published], batches: tuple[int, ...], run: Run) -> bool:
    followed = _spend(run.at, batches, None)
    for offer in published:
        if offer.terms.bundle:
            expiring.warn(offer, at=run.at)
    return followed


def _spend(at: datetime, batches: tuple[int, ...], only: Only | None) -> bool:
    """Follow how coupons are spent, by everyone or by `only` some. False where that was followed further."""
    with transaction.atomic(savepoint=False):
        since = [mark for (mark,) in _marks()()]
        if any(mark is not None and mark > at for mark in since):
            return False
        if not since:
            return True
        known = [mark for mark in since if mark is not None]
        begin = min(known) if len(known) == len(since) else None
        coupons.follow(News(begin, at, batches, only=only))
        if only is None:
            Issuance.objects.update(spent_until=at)
        return True


@kept
def _marks() -> QuerySet[Issuance, Any]:
    """Up to when the use of each offer's coupons was followed; the rows are locked."""
    marks = Issuance.objects.select_for_update(no_key=True).order_by("pk")
    return marks.values_list("spent_until")
