"""Redemption: coupons are locked to freight orders, redeemed, freed again and expired, as the orders' facts say."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.coupons import wallet
from campaigns.eligibility import affected
from campaigns.eligibility.affected import Changes, SubjectSelection
from campaigns.ledger import journal
from campaigns.models import Attachment, Coupon, Grant, Issuance, Version
from campaigns.offers.published_offers import terms_of
from core.db.compiled_queries import compiled_query
from logistics.facts import FREIGHT_ORDERS
from logistics.models import FreightOrder
from rules.conditions import all_of, as_boolean
from rules.query_row import QueryRow

Status = Coupon.Status
MERCHANTS_AT_ONCE = 500


def follow(*, at: datetime, batches: tuple[int, ...]) -> bool:
    """Follow all coupons up to `at`. Returns False where a tick has followed them further already."""
    return _follow(at, batches, None)


def follow_orders(orders: Sequence[str], *, merchants: Sequence[str], at: datetime) -> bool:
    """Follow the coupons of some merchants' orders at once. Returns False where a tick has followed them further."""
    return _follow(at, (), SubjectSelection(tuple(orders), tuple(merchants)))


def _follow(at: datetime, batches: tuple[int, ...], only: SubjectSelection | None) -> bool:
    with transaction.atomic(savepoint=False):
        since = [mark for (mark,) in _marks()()]
        if any(mark is not None and mark > at for mark in since):
            return False
        if not since:
            return True
        known = [mark for mark in since if mark is not None]
        begin = min(known) if len(known) == len(since) else None
        replay_changed(Changes(begin, at, batches, only=only))
        if only is None:
            Issuance.objects.update(spent_until=at)
        return True


@compiled_query
def _marks() -> QuerySet[Issuance, Any]:
    """Up to when the use of each offer's coupons was followed; the rows are locked."""
    marks = Issuance.objects.select_for_update(no_key=True).order_by("pk")
    return marks.values_list("spent_until")


def replay_changed(news: Changes) -> int:
    """Bring all coupons to where the orders that use them lead. Returns how many moved.

    An order takes the oldest coupon that fits, whichever offer it came from.
    """
    moved = 0
    with transaction.atomic():
        codes = _merchants(news)
        while chunk := list(islice(codes, MERCHANTS_AT_ONCE)):
            moved += _follow_some(chunk, news)
    return moved


def _merchants(news: Changes) -> Iterator[str]:
    held = Coupon.objects.order_by().values_list("merchant_id", flat=True).distinct()
    keys = affected.spending(news)
    return (held if keys is None else held.filter(merchant__in=keys)).iterator(chunk_size=MERCHANTS_AT_ONCE)


def _follow_some(merchants: list[str], news: Changes) -> int:
    unspoilt = Coupon.objects.filter(merchant__in=merchants).exclude(status=Status.VOID).order_by("pk")
    stored: dict[str, list[Coupon]] = {}
    held = unspoilt.select_for_update(of=("self",), no_key=True)
    for coupon in held.select_related("grant", "grant__version"):
        stored.setdefault(coupon.merchant_id, []).append(coupon)
    coupons = {coupon.pk: coupon for several in stored.values() for coupon in several}
    orders = _orders({coupon.grant.version for coupon in coupons.values()}, merchants, news.until)
    known = set(Attachment.objects.filter(merchant__in=merchants).values_list("order_no", flat=True))
    attachments: list[Attachment] = []
    moves: list[wallet.Move] = []
    for merchant, several in stored.items():
        asking = orders.get(merchant, [])
        held_coupons = [_as_held(coupon) for coupon in several]
        spent = wallet.replay(held_coupons, asking, known, since=news.since, until=news.until)
        moves += spent.moves
        placed = {order.number: order.placed_at for order in asking}
        attachments += [
            Attachment(order_no=number, merchant_id=merchant, coupon_id=coupon_id, placed_at=placed[number])
            for number, coupon_id in spent.attached.items()
        ]
    Attachment.objects.bulk_create(attachments, batch_size=1_000)
    _write(moves, coupons)
    return len({move.coupon.id for move in moves})


def _as_held(coupon: Coupon) -> wallet.Coupon:
    return wallet.Coupon(
        coupon.pk, coupon.grant.version_id, coupon.status, coupon.face_value, coupon.issued_at, coupon.valid_from,
        coupon.valid_until, coupon.number, coupon.value, coupon.order_no,
    )  # fmt: skip


def _orders(versions: set[Version], merchants: list[str], until: datetime) -> dict[str, list[wallet.Order]]:
    """The merchants' orders placed by `until` that ask for a coupon, and what one is worth under each version."""
    row = QueryRow(FREIGHT_ORDERS)
    asking = FreightOrder.objects.filter(use_coupon=True, merchant__in=merchants, placed_at__lte=until)
    reduced = Grant.objects.filter(fee="freight", subject=OuterRef("pk"), status__in=Grant.LIVE)
    asking = asking.annotate(seen_at=F("placed_at"), is_reduced=Exists(reduced))  # one fee, one benefit
    bundles = {version.pk: bundle for version in versions if (bundle := terms_of(version).bundle)}
    for version_id, bundle in bundles.items():
        asking = asking.annotate(**{f"fits_{version_id}": as_boolean(all_of(bundle.where, row))})
    found: dict[str, list[wallet.Order]] = {}
    for order in asking:
        worth = {
            version_id: bundle.worth(order.base_freight)
            for version_id, bundle in bundles.items()
            if getattr(order, f"fits_{version_id}") and order.currency == bundle.currency and not order.is_reduced
        }
        found.setdefault(order.merchant_id, []).append(
            wallet.Order(order.order_no, order.placed_at, order.paid_at, order.cancelled_at, worth)
        )
    return found


def _write(moves: list[wallet.Move], stored: dict[int, Coupon]) -> None:
    changed = {move.coupon.id: move.coupon for move in moves}
    # Two steps: an order that changes coupons must never be on two at once.
    Coupon.objects.filter(pk__in=changed).exclude(order_no=None).update(order_no=None, status=Status.ISSUED)
    for held in changed.values():
        coupon = stored[held.id]
        coupon.status, coupon.value, coupon.order_no = Status(held.status), held.value, held.order
    Coupon.objects.bulk_update([stored[pk] for pk in changed], ["status", "value", "order_no"], batch_size=500)
    journal.record(_spent(move, stored[move.coupon.id]) for move in moves)


def _spent(move: wallet.Move, coupon: Coupon) -> journal.NewEntry:
    return journal.NewEntry(
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
    move = journal.NewEntry(
        None, coupon.pk, coupon.offer_id, coupon.grant.version_id, at, "locked", "issued", coupon.value,
        coupon.currency, order_no, by, "taken off the order", coupon.merchant_id, coupon.grant.subject,
    )  # fmt: skip
    journal.record([move])
    return coupon
