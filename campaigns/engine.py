"""`tick`: the only engine. It brings every published campaign up to an instant; nothing below reads a clock.

Safe to kill at any commit, to repeat and to run twice at once: a group of competing offers is decided in one
transaction that holds its offers' rows, and what is decided is not asked again.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from campaigns import claims, coupons, deciding, following, offers
from campaigns.discovery import News
from campaigns.models import Issuance, Offer, Run
from campaigns.offers import Published
from merchants.models import Batch


def tick(*, at: datetime) -> Run:
    """Bring everything up to `at`: grants, claims, coupons. Returns the run, with what it did.

    Time never runs back: offers already decided beyond `at` are left as they are.
    """
    run = Run.objects.create(at=at)
    batches = tuple(Batch.objects.filter(absorbed=False).values_list("pk", flat=True))
    published = offers.published()
    groups = offers.competing(published)
    for group in [group for group in groups if not group[0].terms.fee]:
        _bring_up(group, batches, run)
    _coupons([offer for offer in published if offer.terms.bundle], batches, run)
    for group in [group for group in groups if group[0].terms.fee]:
        _bring_up(group, batches, run)
    Batch.objects.filter(pk__in=batches).update(absorbed=True)
    run.finished_at = at
    run.save()
    return run


def sweep(*, at: datetime) -> None:
    """Do what was lost with a broker or a worker: whatever is owed by `at` and not done is done by a tick."""
    owed = Issuance.objects.filter(issued__lt=F("planned")).exists()
    late = Batch.objects.filter(absorbed=False).exists()
    if owed or late:
        tick(at=at)


@transaction.atomic
def _bring_up(group: list[Published], batches: tuple[int, ...], run: Run) -> None:
    """Follow the grants of competing offers to the run's instant, then decide their claims."""
    _plan_for_all_rows()
    group = offers.hold(group)
    until = claims.horizon(group, run.at)
    for offer in group:
        if offer.row.moved_until is None or offer.row.moved_until <= run.at:
            run.moved += following.follow(offer, News(offer.row.moved_until, run.at, batches))
            Offer.objects.filter(pk=offer.id).update(moved_until=run.at)
    since = [offer.row.decided_until for offer in group if offer.row.decided_until is not None]
    if since and max(since) > until:
        return
    run.decided += deciding.decide(group, News(max(since, default=None), until, batches), at=run.at)
    Offer.objects.filter(pk__in=[offer.id for offer in group]).update(decided_until=until)


def _plan_for_all_rows() -> None:
    """Cursors are read to the end here: PostgreSQL would otherwise plan for the first rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1.0")


def _coupons(giving: list[Published], batches: tuple[int, ...], run: Run) -> None:
    for offer in giving:
        if offer.terms.bundle is not None:
            run.issued += coupons.issue(offer, offer.terms.bundle)
    with transaction.atomic():
        marks = Issuance.objects.select_for_update().filter(offer__in=[offer.id for offer in giving]).order_by("pk")
        since = [mark.spent_until for mark in marks]
        if not since or any(mark is not None and mark > run.at for mark in since):
            return
        known = [mark for mark in since if mark is not None]
        begin = min(known) if len(known) == len(since) else None
        coupons.follow(giving, News(begin, run.at, batches))
        marks.update(spent_until=run.at)
