"""Coupons: the only place where they are issued, spent, expire or are made void."""

import os
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from campaigns.ledger import journal
from campaigns.models import Coupon, Grant, Issuance, Version
from campaigns.offers.published_offers import PublishedOffer, terms_of
from core.db import bulk_insert
from definitions.benefits import CouponBundle

Status = Coupon.Status
COLUMNS = (
    "id code offer_id grant_id number merchant_id status value face_value currency issued_at valid_from valid_until"
).split()
UNSPENT = [Status.ISSUED, Status.LOCKED]
GRANTS_AT_ONCE = 1_000


def issue(offer: PublishedOffer) -> int:
    """Issue the coupons that the offer's grants are owed; returns how many.

    In chunks, each a transaction of its own: what is killed goes on where it was, and workers share the work. It
    returns when nothing is owed any more, also by grants that another worker had in hand.
    """
    issued = 0
    while Issuance.objects.filter(offer=offer.id, issued__lt=F("planned")).exists():
        some = _issue_some(offer, wait=False) or _issue_some(offer, wait=True)
        issued += some
        if not some:
            break
    return issued


class Owed(NamedTuple):
    """A grant whose coupons are to be issued."""

    grant: int
    coupons: int
    merchant: str
    subject: str
    version: int
    claimed_at: datetime


@dataclass(frozen=True)
class Print:
    """What the coupons of one version's grants have in common."""

    offer: int
    bundle: CouponBundle
    decided_at: datetime | None
    valid_from: datetime
    valid_until: datetime


@transaction.atomic
def _issue_some(offer: PublishedOffer, *, wait: bool) -> int:
    without = ~Exists(Coupon.objects.filter(grant=OuterRef("pk")))
    owed = Grant.objects.filter(without, offer=offer.id, coupons__gt=0).order_by("pk")
    held = owed.select_for_update(skip_locked=not wait, no_key=True).values_list("pk", flat=True)[:GRANTS_AT_ONCE]
    # Asked again with the rows in hand: another worker may have been done between the looking and the locking.
    rest = Grant.objects.filter(without, pk__in=list(held)).order_by("pk")
    grants = list(starmap(Owed, rest.values_list("pk", "coupons", "merchant", "subject", "version", "claimed_at")))
    count = sum(grant.coupons for grant in grants)
    prints = _prints({grant.version for grant in grants})
    codes, ids = _codes(count), iter(journal.send_ids(Coupon, count)())
    made = [(next(ids), grant, number) for grant in grants for number in range(1, grant.coupons + 1)]
    bulk_insert.write(
        Coupon._meta.db_table,
        COLUMNS,
        (_row(pk, next(codes), grant, number, prints[grant.version]) for pk, grant, number in made),
    )
    journal.record(_issued(pk, grant, prints[grant.version]) for pk, grant, _ in made)
    Issuance.objects.filter(offer=offer.id).update(issued=F("issued") + count)
    return count


def _prints(versions: set[int]) -> dict[int, Print]:
    prints = {}
    for version in Version.objects.filter(pk__in=versions):
        terms = terms_of(version)
        assert terms.bundle is not None
        valid = terms.bundle.valid
        prints[version.pk] = Print(
            version.offer_id, terms.bundle, terms.decision_instant, valid.from_.instant, valid.to.after
        )
    return prints


def _row(pk: int, code: str, grant: Owed, number: int, made: Print) -> tuple[object, ...]:
    bundle = made.bundle
    return (
        pk, code, made.offer, grant.grant, number, grant.merchant, "issued", bundle.value, bundle.value,
        bundle.currency, made.decided_at or grant.claimed_at, made.valid_from, made.valid_until,
    )  # fmt: skip


def _issued(pk: int, grant: Owed, made: Print) -> journal.NewEntry:
    return journal.NewEntry(
        None, pk, made.offer, grant.version, made.decided_at or grant.claimed_at, "", "issued",
        made.bundle.value, made.bundle.currency, "", journal.ENGINE, "issued", grant.merchant, grant.subject,
    )  # fmt: skip


def _codes(count: int) -> Iterator[str]:
    """Codes of 80 random bits each: nobody guesses one."""
    pool = os.urandom(10 * count)
    return (b32encode(pool[n : n + 10]).decode() for n in range(0, 10 * count, 10))


def void(grants: Sequence[Grant], *, at: datetime, by: str, reason: str) -> int:
    """Take away the unspent coupons of grants that were revoked or released. Returns how many."""
    versions = {grant.pk: grant for grant in grants}
    with transaction.atomic():
        mine = Coupon.objects.filter(grant__in=list(versions), status__in=UNSPENT)
        taken = [(coupon, coupon.status) for coupon in mine.select_for_update(no_key=True).order_by("pk")]
        for coupon, _ in taken:
            coupon.status, coupon.order_no = Status.VOID, None
        Coupon.objects.bulk_update([coupon for coupon, _ in taken], ["status", "order_no"], batch_size=500)
        journal.record(
            journal.NewEntry(
                None, coupon.pk, coupon.offer_id, versions[coupon.grant_id].version_id, at, source, "void",
                coupon.value, coupon.currency, "", by, reason, coupon.merchant_id, versions[coupon.grant_id].subject,
            )
            for coupon, source in taken
        )  # fmt: skip
    return len(taken)
