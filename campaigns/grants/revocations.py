"""Revocations: one grant at once, within limits; more after one operator proposed them and another approved."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from campaigns.coupons import issuing
from campaigns.grants import transitions
from campaigns.models import AuditEvent, Coupon, Grant, JournalEntry, Offer, Revocation
from core.db.fields import money_total
from core.money import round_to_cents
from identity.users import user_key

GRANTS_AT_ONCE = 1_000
DAY = timedelta(days=1)


class RevocationError(Exception):
    """The revocation does not allow this step; the text gives the reason. Nothing was changed."""


class LimitError(RevocationError):
    """One person has revoked as much as it may within a day: more takes a second one."""


@dataclass(frozen=True)
class Part:
    """Live grants of one status and currency: their number and the sum of their amounts."""

    label: str
    count: int
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Preview:
    """Effect of a revocation: the number of live grants, of their merchants, and of their unused coupons."""

    count: int
    merchants: int
    coupons: int
    parts: tuple[Part, ...]


def preview(grants: "QuerySet[Grant]") -> Preview:
    """Return the effect of revoking the live ones among `grants`. Three queries, for any number of grants."""
    live = grants.filter(status__in=Grant.LIVE).order_by()
    groups: Any = live.values("status", "currency").annotate(
        n=Count("pk"), sum=Sum("amount", output_field=money_total())
    )
    labels = dict(Grant.Status.choices)
    parts = tuple(
        Part(str(labels[group["status"]]), group["n"], round_to_cents(group["sum"]), group["currency"])
        for group in groups.order_by("status", "currency")
    )
    unspent = Coupon.objects.filter(grant__in=live.values("pk"), status__in=issuing.UNSPENT).count()
    merchants = live.aggregate(n=Count("merchant", distinct=True))["n"]
    return Preview(count=sum(part.count for part in parts), merchants=merchants, coupons=unspent, parts=parts)


def may_revoke_alone(grant: Grant, *, at: datetime, by: str) -> bool:
    """Return True if `by` stays within the limits of one person and day by revoking the grant.

    Twenty single revocations would otherwise do what needs two people as one.
    """
    entries = JournalEntry.objects.filter(target=Grant.Status.REVOKED, by=by, at__gt=at - DAY, grant__isnull=False)
    alone = entries.exclude(grant__revocations__status=Revocation.Status.DONE).order_by()
    in_currency = Sum("grant__amount", output_field=money_total(), filter=Q(grant__currency=grant.currency), default=0)
    sums = alone.aggregate(n=Count("pk"), value=in_currency)
    value = sums["value"] + grant.amount
    return bool(sums["n"] < settings.REVOCATIONS_ALONE and value <= settings.REVOCATION_VALUE_ALONE)


@transaction.atomic
def revoke(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Revoke one live grant and void its unused coupons.

    Raises NotLiveError if it is not live any more, and LimitError if `by` has revoked too much alone within a day.
    """
    list(User.objects.select_for_update(no_key=True).filter(username=by))  # one after the other: they are counted
    if not may_revoke_alone(grant, at=at, by=by):
        raise LimitError(_("You have revoked as much as one person may within a day: propose the revocation."))
    transitions.revoke(grant, at=at, by=by, reason=reason)
    issuing.void([grant], at=at, by=by, reason=reason)


@transaction.atomic
def propose(grants: "QuerySet[Grant]", *, title: str, at: datetime, by: str, reason: str) -> Revocation:
    """Propose the live ones among `grants` for revocation by a second operator. Raises RevocationError if none is."""
    revocation = Revocation.objects.create(
        title=title[:200], reason=reason, proposed_by=by, proposer_id=user_key(by), proposed_at=at
    )
    links = Revocation.grants.through
    live = grants.filter(status__in=Grant.LIVE).order_by("pk")
    keys = live.values_list("pk", flat=True).iterator(chunk_size=GRANTS_AT_ONCE)
    while chunk := list(islice(keys, GRANTS_AT_ONCE)):
        links._default_manager.bulk_create([links(revocation_id=revocation.pk, grant_id=key) for key in chunk])
    if not revocation.grants.exists():
        raise RevocationError(_("None of these grants is live: there is nothing to revoke."))
    _audit(revocation, AuditEvent.Verb.PROPOSED, at=at, by=by)
    return revocation


def approve(revocation: Revocation, *, shown: int, at: datetime, by: str) -> int:
    """Revoke the grants of a proposal that are still live, void their unused coupons, and return their number.

    `shown` is the number of live grants that `by` saw. Raises RevocationError if that has changed, if `by` made the
    proposal, or if it was carried out or withdrawn before.
    """
    with transaction.atomic():
        row = _lock(revocation)
        if is_proposer(row, by):
            raise RevocationError(_("You proposed this revocation: somebody else must approve it."))
        _lock_offers(row)
        if row.grants.filter(status__in=Grant.LIVE).count() != shown:
            raise RevocationError(_("These grants have moved since you were shown them. Look at them again."))
        _audit(row, AuditEvent.Verb.REVOKED, at=at, by=by)
        for chunk in _locked_chunks(row):
            transitions.revoke_all(chunk, at=at, by=by, reason=row.reason)
            issuing.void(chunk, at=at, by=by, reason=row.reason)
        row.status, row.ended_by, row.ended_at, row.revoked = Revocation.Status.DONE, by, at, shown
        row.ender_id = user_key(by)
        row.save()
    revocation.refresh_from_db()
    return shown


def is_proposer(revocation: Revocation, by: str) -> bool:
    """Return True if the user with that name made the proposal, also under a former name."""
    return by == revocation.proposed_by or user_key(by) == (revocation.proposer_id or 0)


def withdraw(revocation: Revocation, *, at: datetime, by: str) -> None:
    """Withdraw a proposal. Raises RevocationError if it was carried out or withdrawn before."""
    with transaction.atomic():
        row = _lock(revocation)
        row.status, row.ended_by, row.ended_at = Revocation.Status.WITHDRAWN, by, at
        row.ender_id = user_key(by)
        row.save()
    revocation.refresh_from_db()


def _lock(revocation: Revocation) -> Revocation:
    row = Revocation.objects.select_for_update(no_key=True).get(pk=revocation.pk)
    if row.status != Revocation.Status.PROPOSED:
        raise RevocationError(_("The revocation is %(status)s already.") % {"status": row.get_status_display()})
    return row


def _lock_offers(revocation: Revocation) -> None:
    """Lock the offers of the grants, in the order of their keys like every other transaction."""
    offers = revocation.grants.order_by().values_list("offer_id", flat=True).distinct()
    list(Offer.objects.select_for_update(no_key=True).filter(pk__in=sorted(offers)).order_by("pk"))


def _audit(revocation: Revocation, verb: AuditEvent.Verb, *, at: datetime, by: str) -> None:
    """Write one audit event for each offer, with the number of its live grants in the revocation."""
    live = revocation.grants.filter(status__in=Grant.LIVE).order_by()
    for offer_id, n in live.values("offer_id").annotate(n=Count("pk")).values_list("offer_id", "n"):
        AuditEvent.objects.create(
            offer_id=offer_id,
            verb=verb,
            at=at,
            by=by,
            reason=revocation.reason,
            after={"revocation": revocation.pk, "grants": n},
        )


def _locked_chunks(revocation: Revocation) -> Iterator[list[Grant]]:
    """Yield the live grants, locked. The caller revokes each chunk, so that the next query finds those after it."""
    live = revocation.grants.filter(status__in=Grant.LIVE).order_by("pk")
    while chunk := list(live.select_for_update(of=("self",), no_key=True)[:GRANTS_AT_ONCE]):
        yield chunk
