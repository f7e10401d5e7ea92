"""Taking grants away: one by whoever may, several only when a second person approves what the first has shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from campaigns.coupons import issuing
from campaigns.grants import transitions
from campaigns.models import AuditEvent, Coupon, Grant, Offer, Revocation
from core.money import round_to_cents

AT_ONCE = 1_000


class RevocationError(Exception):
    """That cannot be done with the revocation as it stands; the text says why. Nothing was changed."""


@dataclass(frozen=True)
class Part:
    """Live grants of one status and currency."""

    label: str
    count: int
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Preview:
    """What a revocation would take away: grants, and coupons that are not used yet."""

    count: int
    merchants: int
    coupons: int
    parts: tuple[Part, ...]


def preview(several: "QuerySet[Grant]") -> Preview:
    """What revoking those of `several` that are live would do. Three queries, whatever the number."""
    live = several.filter(status__in=Grant.LIVE).order_by()
    counted: Any = live.values("status", "currency").annotate(n=Count("pk"), sum=Sum("amount"))
    labels = dict(Grant.Status.choices)
    parts = tuple(
        Part(str(labels[row["status"]]), row["n"], round_to_cents(row["sum"]), row["currency"])
        for row in counted.order_by("status", "currency")
    )
    unspent = Coupon.objects.filter(grant__in=live.values("pk"), status__in=issuing.UNSPENT).count()
    merchants = live.aggregate(n=Count("merchant", distinct=True))["n"]
    return Preview(sum(part.count for part in parts), merchants, unspent, parts)


@transaction.atomic
def revoke(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Take one live grant away, and its coupons that are not used. Raises grants.NotLiveError."""
    transitions.revoke(grant, at=at, by=by, reason=reason)
    issuing.void([grant], at=at, by=by, reason=reason)


@transaction.atomic
def propose(several: "QuerySet[Grant]", *, title: str, at: datetime, by: str, reason: str) -> Revocation:
    """Note which live grants are to be revoked, for somebody else to approve. Raises RevocationError where none is."""
    made = Revocation.objects.create(title=title[:200], reason=reason, proposed_by=by, proposed_at=at)
    through = Revocation.grants.through
    live = several.filter(status__in=Grant.LIVE).order_by("pk")
    keys = live.values_list("pk", flat=True).iterator(chunk_size=AT_ONCE)
    while some := list(islice(keys, AT_ONCE)):
        through._default_manager.bulk_create([through(revocation_id=made.pk, grant_id=key) for key in some])
    if not made.grants.exists():
        raise RevocationError(_("None of these grants is live: there is nothing to revoke."))
    for offer, n in _by_offer(made):
        after = {"revocation": made.pk, "grants": n}
        AuditEvent.objects.create(
            offer_id=offer, verb=AuditEvent.Verb.PROPOSED, at=at, by=by, reason=reason, after=after
        )
    return made


def approve(revocation: Revocation, *, shown: int, at: datetime, by: str) -> int:
    """Revoke those of its grants that are live still, and their unused coupons. Returns how many.

    `shown` is how many of them were live when `by` was asked. Raises RevocationError where it is another number by now,
    where `by` proposed it, or where it is done or withdrawn.
    """
    with transaction.atomic():
        row = _held(revocation)
        if by == row.proposed_by:
            raise RevocationError(_("You proposed this revocation: somebody else must approve it."))
        offers = sorted(row.grants.order_by().values_list("offer_id", flat=True).distinct())
        list(Offer.objects.select_for_update(no_key=True).filter(pk__in=offers).order_by("pk"))
        live = row.grants.filter(status__in=Grant.LIVE)
        if live.count() != shown:
            raise RevocationError(_("These grants have moved since you were shown them. Look at them again."))
        for offer, n in _by_offer(row):
            after = {"revocation": row.pk, "grants": n}
            AuditEvent.objects.create(
                offer_id=offer, verb=AuditEvent.Verb.REVOKED, at=at, by=by, reason=row.reason, after=after
            )
        for some in _chunks(row):
            transitions.revoke_all(some, at=at, by=by, reason=row.reason)
            issuing.void(some, at=at, by=by, reason=row.reason)
        row.status, row.ended_by, row.ended_at, row.revoked = Revocation.Status.DONE, by, at, shown
        row.save()
    revocation.refresh_from_db()
    return shown


def withdraw(revocation: Revocation, *, at: datetime, by: str) -> None:
    """Give the proposal up. Raises RevocationError where it is done or withdrawn."""
    with transaction.atomic():
        row = _held(revocation)
        row.status, row.ended_by, row.ended_at = Revocation.Status.WITHDRAWN, by, at
        row.save()
    revocation.refresh_from_db()


def _held(revocation: Revocation) -> Revocation:
    row = Revocation.objects.select_for_update(no_key=True).get(pk=revocation.pk)
    if row.status != Revocation.Status.PROPOSED:
        raise RevocationError(_("The revocation is %(status)s already.") % {"status": row.get_status_display()})
    return row


def _by_offer(revocation: Revocation) -> list[tuple[int, int]]:
    live = revocation.grants.filter(status__in=Grant.LIVE).order_by()
    return list(live.values("offer_id").annotate(n=Count("pk")).values_list("offer_id", "n"))


def _chunks(revocation: Revocation) -> Iterator[list[Grant]]:
    """Its live grants, locked, some at a time: those taken are not live any more."""
    live = revocation.grants.filter(status__in=Grant.LIVE).order_by("pk")
    while some := list(live.select_for_update(of=("self",), no_key=True)[:AT_ONCE]):
        yield some
