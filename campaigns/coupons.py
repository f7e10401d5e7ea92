"""Coupons: the only place where they are issued, spent, expire or are made void."""

import os
from base64 import b32encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from campaigns import discovery, journal, spending
from campaigns.definition.benefits import Bundle
from campaigns.discovery import News
from campaigns.models import Attachment, Coupon, Grant, Issuance
from campaigns.offers import Published
from campaigns.rules.conditions import Row, all_of, flag
from campaigns.rules.facts import COLLECTIONS
from logistics.models import FreightOrder
from merchants.intake import rows

Status = Coupon.Status
COLUMNS = (
    "id code offer_id grant_id number merchant_id status value face_value currency issued_at valid_from valid_until"
).split()
GRANTS_AT_ONCE = 1_000
MERCHANTS_AT_ONCE = 500


def issue(offer: Published, bundle: Bundle) -> int:
    """Issue the coupons that the offer's grants are owed; returns how many.

    In chunks, each a transaction of its own: what is killed goes on where it was, and workers share the work.
    """
    issued = 0
    while Issuance.objects.filter(offer=offer.id, issued__lt=F("planned")).exists():
        with transaction.atomic():
            some = _issue_some(offer, bundle)
        if not some:
            break  # another worker holds the rest
        issued += some
    return issued


def _issue_some(offer: Published, bundle: Bundle) -> int:
    owed = Grant.objects.filter(~Exists(Coupon.objects.filter(grant=OuterRef("pk"))), offer=offer.id, coupons__gt=0)
    grants = list(owed.order_by("pk").select_for_update(skip_locked=True, of=("self",))[:GRANTS_AT_ONCE])
    count = sum(grant.coupons for grant in grants)
    ids = iter(journal.new_ids(Coupon, count))
    made = [(next(ids), grant, number) for grant in grants for number in range(1, grant.coupons + 1)]
    valid = (bundle.valid.from_.instant, bundle.valid.to.after)
    rows.write(Coupon._meta.db_table, COLUMNS, _new_rows(made, _codes(count), bundle, valid, offer))
    journal.record(
        journal.Move(
            None,
            pk,
            grant.offer_id,
            grant.version_id,
            _issued_at(grant, offer),
            "",
            "issued",
            bundle.value,
            bundle.currency,
            "",
            journal.ENGINE,
            "issued",
        )
        for pk, grant, _ in made
    )
    Issuance.objects.filter(offer=offer.id).update(issued=F("issued") + count)
    return count


def _issued_at(grant: Grant, offer: Published) -> datetime:
    return offer.terms.decision_instant or grant.claimed_at


def _new_rows(
    made: Iterable[tuple[int, Grant, int]],
    codes: Iterator[str],
    bundle: Bundle,
    valid: tuple[datetime, datetime],
    offer: Published,
) -> Iterator[tuple[object, ...]]:
    for pk, grant, number in made:
        yield (
            pk, next(codes), grant.offer_id, grant.pk, number, grant.merchant_id, "issued",
            bundle.value, bundle.value, bundle.currency, _issued_at(grant, offer), *valid,
        )  # fmt: skip


def _codes(count: int) -> Iterator[str]:
    """Codes of 80 random bits each: nobody guesses one."""
    pool = os.urandom(10 * count)
    return (b32encode(pool[n : n + 10]).decode() for n in range(0, 10 * count, 10))


def follow(offers: list[Published], news: News) -> int:
    """Bring the coupons of these offers to where the orders that use them lead. Returns how many moved.

    `offers` are all that have coupons: an order takes the oldest that fits, whichever offer it came from.
    """
    moved = 0
    with transaction.atomic():
        codes = _merchants(news)
        while chunk := list(islice(codes, MERCHANTS_AT_ONCE)):
            moved += _follow_some(offers, chunk, news)
    return moved


def _merchants(news: News) -> Iterator[str]:
    held = Coupon.objects.order_by().values_list("merchant_id", flat=True).distinct()
    keys = discovery.spending(news)
    return (held if keys is None else held.filter(merchant__in=keys)).iterator(chunk_size=MERCHANTS_AT_ONCE)


def _follow_some(offers: list[Published], merchants: list[str], news: News) -> int:
    stored: dict[str, list[Coupon]] = {}
    for coupon in Coupon.objects.select_for_update().filter(merchant__in=merchants).exclude(status=Status.VOID):
        stored.setdefault(coupon.merchant_id, []).append(coupon)
    orders = _orders(offers, merchants, news.until)
    known = set(Attachment.objects.filter(merchant__in=merchants).values_list("order_no", flat=True))
    attachments: list[Attachment] = []
    moves: list[spending.Move] = []
    for merchant, coupons in stored.items():
        asking = orders.get(merchant, [])
        wallet = [_as_held(coupon) for coupon in coupons]
        spent = spending.spend(wallet, asking, known, since=news.since, until=news.until)
        moves += spent.moves
        placed = {order.number: order.placed_at for order in asking}
        for number, coupon_id in spent.attached.items():
            attachments.append(
                Attachment(order_no=number, merchant_id=merchant, coupon_id=coupon_id, placed_at=placed[number])
            )
    Attachment.objects.bulk_create(attachments, batch_size=1_000)
    _write(moves, {coupon.pk: coupon for coupons in stored.values() for coupon in coupons}, offers)
    return len({move.coupon.id for move in moves})


def _as_held(coupon: Coupon) -> spending.Coupon:
    return spending.Coupon(
        coupon.pk, coupon.offer_id, coupon.status, coupon.face_value, coupon.issued_at, coupon.valid_from,
        coupon.valid_until, coupon.number, coupon.value, coupon.order_no,
    )  # fmt: skip


def _orders(offers: list[Published], merchants: list[str], until: datetime) -> dict[str, list[spending.Order]]:
    """The merchants' orders placed by `until` that ask for a coupon, and what each offer's coupon is worth on them."""
    row = Row(COLLECTIONS["freight_orders"])
    asking = FreightOrder.objects.filter(use_coupon=True, merchant__in=merchants, placed_at__lte=until)
    asking = asking.annotate(seen_at=F("placed_at"))
    bundles = {offer.id: offer.terms.bundle for offer in offers if offer.terms.bundle}
    for offer_id, bundle in bundles.items():
        asking = asking.annotate(**{f"fits_{offer_id}": flag(all_of(bundle.where, row))})
    found: dict[str, list[spending.Order]] = {}
    for order in asking:
        worth = {
            offer_id: bundle.worth(order.base_freight)
            for offer_id, bundle in bundles.items()
            if getattr(order, f"fits_{offer_id}") and order.currency == bundle.currency
        }
        found.setdefault(order.merchant_id, []).append(
            spending.Order(order.order_no, order.placed_at, order.paid_at, order.cancelled_at, worth)
        )
    return found


def _write(moves: list[spending.Move], stored: dict[int, Coupon], offers: list[Published]) -> None:
    versions = {offer.id: offer.version_id for offer in offers}
    changed = {move.coupon.id: move.coupon for move in moves}
    # Two steps: an order that changes coupons must never be on two at once.
    Coupon.objects.filter(pk__in=changed).exclude(order_no=None).update(order_no=None, status=Status.ISSUED)
    for held in changed.values():
        coupon = stored[held.id]
        coupon.status, coupon.value, coupon.order_no = Status(held.status), held.value, held.order
    Coupon.objects.bulk_update([stored[pk] for pk in changed], ["status", "value", "order_no"], batch_size=500)
    journal.record(
        journal.Move(
            None,
            move.coupon.id,
            move.coupon.offer,
            versions[move.coupon.offer],
            move.at,
            move.source,
            move.target,
            move.value,
            stored[move.coupon.id].currency,
            move.order,
            journal.ENGINE,
            move.target,
        )
        for move in moves
    )


def void(grant: Grant, *, at: datetime, by: str, reason: str) -> int:
    """Take away the unspent coupons of a grant that was revoked or released. Returns how many."""
    with transaction.atomic():
        unspent = Coupon.objects.select_for_update().filter(grant=grant, status__in=[Status.ISSUED, Status.LOCKED])
        taken = [(coupon, coupon.status) for coupon in unspent]
        for coupon, _ in taken:
            coupon.status, coupon.order_no = Status.VOID, None
        Coupon.objects.bulk_update([coupon for coupon, _ in taken], ["status", "order_no"])
        journal.record(
            journal.Move(
                None,
                coupon.pk,
                coupon.offer_id,
                grant.version_id,
                at,
                source,
                "void",
                coupon.value,
                coupon.currency,
                "",
                by,
                reason,
            )
            for coupon, source in taken
        )
    return len(taken)
