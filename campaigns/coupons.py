"""Coupons: the only place where they are issued, spent, expire or are made void."""

import os
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, starmap
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from campaigns import discovery, journal, spending
from campaigns.definition.benefits import Bundle
from campaigns.discovery import News
from campaigns.models import Attachment, Coupon, Grant, Issuance, Version
from campaigns.offers import Published, terms_of
from campaigns.rules.conditions import Row, all_of, flag
from campaigns.rules.facts import COLLECTIONS
from logistics.models import FreightOrder
from merchants.intake import rows

Status = Coupon.Status
COLUMNS = (
    "id code offer_id grant_id number merchant_id status value face_value currency issued_at valid_from valid_until"
).split()
UNSPENT = [Status.ISSUED, Status.LOCKED]
GRANTS_AT_ONCE = 1_000
MERCHANTS_AT_ONCE = 500


def issue(offer: Published) -> int:
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
    bundle: Bundle
    decided_at: datetime | None
    valid_from: datetime
    valid_until: datetime


@transaction.atomic
def _issue_some(offer: Published, *, wait: bool) -> int:
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
    rows.write(
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


def _issued(pk: int, grant: Owed, made: Print) -> journal.Move:
    return journal.Move(
        None, pk, made.offer, grant.version, made.decided_at or grant.claimed_at, "", "issued",
        made.bundle.value, made.bundle.currency, "", journal.ENGINE, "issued", grant.merchant, grant.subject,
    )  # fmt: skip


def _codes(count: int) -> Iterator[str]:
    """Codes of 80 random bits each: nobody guesses one."""
    pool = os.urandom(10 * count)
    return (b32encode(pool[n : n + 10]).decode() for n in range(0, 10 * count, 10))


def follow(news: News) -> int:
    """Bring all coupons to where the orders that use them lead. Returns how many moved.

    An order takes the oldest coupon that fits, whichever offer it came from.
    """
    moved = 0
    with transaction.atomic():
        codes = _merchants(news)
        while chunk := list(islice(codes, MERCHANTS_AT_ONCE)):
            moved += _follow_some(chunk, news)
    return moved


def _merchants(news: News) -> Iterator[str]:
    held = Coupon.objects.order_by().values_list("merchant_id", flat=True).distinct()
    keys = discovery.spending(news)
    return (held if keys is None else held.filter(merchant__in=keys)).iterator(chunk_size=MERCHANTS_AT_ONCE)


def _follow_some(merchants: list[str], news: News) -> int:
    unspoilt = Coupon.objects.filter(merchant__in=merchants).exclude(status=Status.VOID).order_by("pk")
    stored: dict[str, list[Coupon]] = {}
    held = unspoilt.select_for_update(of=("self",), no_key=True)
    for coupon in held.select_related("grant", "grant__version"):
        stored.setdefault(coupon.merchant_id, []).append(coupon)
    coupons = {coupon.pk: coupon for several in stored.values() for coupon in several}
    orders = _orders({coupon.grant.version for coupon in coupons.values()}, merchants, news.until)
    known = set(Attachment.objects.filter(merchant__in=merchants).values_list("order_no", flat=True))
    attachments: list[Attachment] = []
    moves: list[spending.Move] = []
    for merchant, several in stored.items():
        asking = orders.get(merchant, [])
        wallet = [_as_held(coupon) for coupon in several]
        spent = spending.spend(wallet, asking, known, since=news.since, until=news.until)
        moves += spent.moves
        placed = {order.number: order.placed_at for order in asking}
        attachments += [
            Attachment(order_no=number, merchant_id=merchant, coupon_id=coupon_id, placed_at=placed[number])
            for number, coupon_id in spent.attached.items()
        ]
    Attachment.objects.bulk_create(attachments, batch_size=1_000)
    _write(moves, coupons)
    return len({move.coupon.id for move in moves})


def _as_held(coupon: Coupon) -> spending.Coupon:
    return spending.Coupon(
        coupon.pk, coupon.grant.version_id, coupon.status, coupon.face_value, coupon.issued_at, coupon.valid_from,
        coupon.valid_until, coupon.number, coupon.value, coupon.order_no,
    )  # fmt: skip


def _orders(versions: set[Version], merchants: list[str], until: datetime) -> dict[str, list[spending.Order]]:
    """The merchants' orders placed by `until` that ask for a coupon, and what one is worth under each version."""
    row = Row(COLLECTIONS["freight_orders"])
    asking = FreightOrder.objects.filter(use_coupon=True, merchant__in=merchants, placed_at__lte=until)
    reduced = Grant.objects.filter(fee="freight", subject=OuterRef("pk"), status__in=Grant.LIVE)
    asking = asking.annotate(seen_at=F("placed_at"), is_reduced=Exists(reduced))  # one fee, one benefit
    bundles = {version.pk: bundle for version in versions if (bundle := terms_of(version).bundle)}
    for version_id, bundle in bundles.items():
        asking = asking.annotate(**{f"fits_{version_id}": flag(all_of(bundle.where, row))})
    found: dict[str, list[spending.Order]] = {}
    for order in asking:
        worth = {
            version_id: bundle.worth(order.base_freight)
            for version_id, bundle in bundles.items()
            if getattr(order, f"fits_{version_id}") and order.currency == bundle.currency and not order.is_reduced
        }
        found.setdefault(order.merchant_id, []).append(
            spending.Order(order.order_no, order.placed_at, order.paid_at, order.cancelled_at, worth)
        )
    return found


def _write(moves: list[spending.Move], stored: dict[int, Coupon]) -> None:
    changed = {move.coupon.id: move.coupon for move in moves}
    # Two steps: an order that changes coupons must never be on two at once.
    Coupon.objects.filter(pk__in=changed).exclude(order_no=None).update(order_no=None, status=Status.ISSUED)
    for held in changed.values():
        coupon = stored[held.id]
        coupon.status, coupon.value, coupon.order_no = Status(held.status), held.value, held.order
    Coupon.objects.bulk_update([stored[pk] for pk in changed], ["status", "value", "order_no"], batch_size=500)
    journal.record(_spent(move, stored[move.coupon.id]) for move in moves)


def _spent(move: spending.Move, coupon: Coupon) -> journal.Move:
    return journal.Move(
        None, coupon.pk, coupon.offer_id, coupon.grant.version_id, move.at, move.source, move.target,
        move.value, coupon.currency, move.order, journal.ENGINE, move.target, coupon.merchant_id, coupon.grant.subject,
    )  # fmt: skip


def take_off(order_no: str, *, at: datetime, by: str) -> Coupon | None:
    """Give the coupon that is locked to an order back to the wallet, as if the order had never asked for one.

    None where there is no such coupon. Belongs into the transaction that says the order asks for none.
    """
    held = Coupon.objects.select_for_update(of=("self",), no_key=True).select_related("grant", "offer")
    coupon = held.filter(order_no=order_no, status=Status.LOCKED, valid_until__gt=at).first()
    if coupon is None:
        return None
    Attachment.objects.filter(pk=order_no).delete()
    coupon.status, coupon.value, coupon.order_no = Status.ISSUED, coupon.face_value, None
    coupon.save(update_fields=["status", "value", "order_no"])
    move = journal.Move(
        None, coupon.pk, coupon.offer_id, coupon.grant.version_id, at, "locked", "issued", coupon.value,
        coupon.currency, order_no, by, "taken off the order", coupon.merchant_id, coupon.grant.subject,
    )  # fmt: skip
    journal.record([move])
    return coupon


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
            journal.Move(
                None, coupon.pk, coupon.offer_id, versions[coupon.grant_id].version_id, at, source, "void",
                coupon.value, coupon.currency, "", by, reason, coupon.merchant_id, versions[coupon.grant_id].subject,
            )
            for coupon, source in taken
        )  # fmt: skip
    return len(taken)
