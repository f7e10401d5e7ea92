"""Issuing: coupons are created for grants that promise a bundle, and voided when their grant is taken back."""

import os
from base64 import b32encode
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import starmap
from operator import attrgetter, itemgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.ledger import journal
from campaigns.models import Coupon, Grant, Issuance, JournalEntry, OutboxEvent, Version
from campaigns.offers.published_offers import PublishedOffer, terms_of
from core.db import bulk_insert, bulk_update, planner_hints
from definitions.benefits import CouponBundle

Status = Coupon.Status
COLUMNS = (
    "id code offer_id grant_id number merchant_id status value face_value price currency issued_at valid_from "
    "valid_until replayed order_kind"
).split()
_values = itemgetter(*COLUMNS)
UNSPENT = [Status.ISSUED, Status.LOCKED]
GRANTS_AT_ONCE = 1_000


class WaitingGrant(NamedTuple):
    """A grant whose coupons are not issued yet."""

    id: int
    coupons: int
    merchant: str
    subject: str
    version_id: int
    claimed_at: datetime


@dataclass(frozen=True)
class CouponTerms:
    """Terms common to the coupons of one version of an offer."""

    offer_id: int
    bundle: CouponBundle
    decided_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime

    def issued_at(self, grant: WaitingGrant) -> datetime:
        """Return the instant of the claim, or that at which the offer decides all claims before it."""
        return max(grant.claimed_at, self.decided_at or grant.claimed_at)


def issue(offer: PublishedOffer, *, held: Collection[str] = (), guard: Guard = PLAIN) -> int:
    """Issue the coupons of the offer's waiting grants and return their number. `held` are subjects that are left out.

    Each chunk is a transaction of its own: a killed worker loses nothing, and concurrent workers share the chunks. The
    function returns when no grant waits any more, including those that another worker had locked.
    """
    issued = 0
    while Issuance.objects.filter(offer=offer.id, issued__lt=F("planned")).exists():
        # Take free grants first; wait for those locked by other workers only when no other is left.
        chunk = _issue_chunk(offer, held, guard, wait=False) or _issue_chunk(offer, held, guard, wait=True)
        issued += chunk
        if not chunk:
            break
    planner_hints.analyze(issued, Coupon, JournalEntry, OutboxEvent)  # each chunk was a transaction of its own
    return issued


@transaction.atomic
def _issue_chunk(offer: PublishedOffer, held: Collection[str], guard: Guard, *, wait: bool) -> int:
    grants = _lock_waiting(offer, held, wait=wait)
    return sum(guard.run("issue", grants, partial(_issue_some, offer), attrgetter("subject")))


def _issue_some(offer: PublishedOffer, grants: Sequence[WaitingGrant]) -> int:
    count = sum(grant.coupons for grant in grants)
    terms = _terms({grant.version_id for grant in grants})
    ids = iter(journal.send_ids(Coupon, count)())
    coupons = [(next(ids), grant, number) for grant in grants for number in range(1, grant.coupons + 1)]
    rows = (
        _values(_row(pk, code, grant, number, terms[grant.version_id]))
        for (pk, grant, number), code in zip(coupons, _codes(count), strict=True)
    )
    bulk_insert.write(Coupon._meta.db_table, COLUMNS, rows)
    journal.record(_entry(pk, grant, terms[grant.version_id]) for pk, grant, _number in coupons)
    Issuance.objects.filter(offer=offer.id).update(issued=F("issued") + count)
    return count


def _lock_waiting(offer: PublishedOffer, held: Collection[str], *, wait: bool) -> list[WaitingGrant]:
    waiting = Grant.objects.filter(~Exists(Coupon.objects.filter(grant=OuterRef("pk"))), coupons__gt=0).order_by("pk")
    waiting = waiting.exclude(subject__in=held) if held else waiting
    locked = waiting.filter(offer=offer.id).select_for_update(skip_locked=not wait, no_key=True)
    keys = list(locked.values_list("pk", flat=True)[:GRANTS_AT_ONCE])
    # Query again under the lock: another worker may have issued them between the first query and the lock.
    columns = ("pk", "coupons", "merchant", "subject", "version", "claimed_at")
    return list(starmap(WaitingGrant, waiting.filter(pk__in=keys).values_list(*columns)))


def _terms(versions: set[int]) -> dict[int, CouponTerms]:
    by_version = {}
    for version in Version.objects.filter(pk__in=versions):
        terms = terms_of(version)
        assert terms.bundle is not None
        by_version[version.pk] = CouponTerms(
            offer_id=version.offer_id,
            bundle=terms.bundle,
            decided_at=terms.decision_instant,
            valid_from=terms.bundle.valid.from_.instant if terms.bundle.valid.from_ else None,
            valid_until=terms.bundle.valid.to.after,
        )
    return by_version


def _row(pk: int, code: str, grant: WaitingGrant, number: int, terms: CouponTerms) -> dict[str, object]:
    issued_at = terms.issued_at(grant)
    return {
        "id": pk,
        "code": code,
        "offer_id": terms.offer_id,
        "grant_id": grant.id,
        "number": number,
        "merchant_id": grant.merchant,
        "status": "issued",
        "value": terms.bundle.each,
        "face_value": terms.bundle.each,
        "price": terms.bundle.price,
        "currency": terms.bundle.currency,
        "issued_at": issued_at,
        # One that is issued after its validity is over was never valid.
        "valid_from": terms.valid_from or min(issued_at, terms.valid_until),
        "valid_until": terms.valid_until,
        "replayed": False,
        "order_kind": terms.bundle.for_,
    }


def _entry(pk: int, grant: WaitingGrant, terms: CouponTerms) -> journal.NewEntry:
    return journal.NewEntry(
        coupon_id=pk,
        offer_id=terms.offer_id,
        version_id=grant.version_id,
        at=terms.issued_at(grant),
        source="",
        target="issued",
        amount=terms.bundle.each,
        currency=terms.bundle.currency,
        by=journal.ENGINE,
        reason="issued",
        merchant=grant.merchant,
        subject=grant.subject,
    )


def _codes(count: int) -> Iterator[str]:
    """Return `count` codes of 80 random bits each, so that none can be guessed."""
    pool = os.urandom(10 * count)
    return (b32encode(pool[n : n + 10]).decode() for n in range(0, 10 * count, 10))


def void(grants: Sequence[Grant], *, at: datetime, by: str, reason: str) -> int:
    """Void the unspent coupons of grants that were revoked or released, and return their number."""
    by_key = {grant.pk: grant for grant in grants}
    with transaction.atomic():
        unspent = Coupon.objects.filter(grant__in=list(by_key), status__in=UNSPENT).order_by("pk")
        coupons = list(unspent.select_for_update(no_key=True))
        for coupon in coupons:
            if coupon.price is not None:  # on no order it takes nothing off
                coupon.value = coupon.face_value
        entries = [
            coupon_entry(coupon, by_key[coupon.grant_id], target="void", at=at, by=by, reason=reason)
            for coupon in coupons
        ]
        for coupon in coupons:
            coupon.status, coupon.order_no = Status.VOID, None
        bulk_update.save(coupons, ["status", "order_no", "value"])
        journal.record(entries)
    return len(coupons)


def coupon_entry(
    coupon: Coupon, grant: Grant, *, target: str, at: datetime, by: str, reason: str, order_no: str = ""
) -> journal.NewEntry:
    """Return the journal entry for a change of a coupon of `grant` from its present state and value to `target`."""
    return journal.NewEntry(
        coupon_id=coupon.pk,
        offer_id=coupon.offer_id,
        version_id=grant.version_id,
        at=at,
        source=coupon.status,
        target=target,
        amount=coupon.value,
        currency=coupon.currency,
        order_no=order_no,
        by=by,
        reason=reason,
        merchant=coupon.merchant_id,
        subject=grant.subject,
    )
