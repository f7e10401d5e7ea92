"""Redemption: coupons are locked, redeemed, returned and expired as the facts of orders say.

A coupon's state is not changed step by step but replayed from the facts (`campaigns.coupons.life_cycle`). So facts may
arrive in any order and in any number of ticks, and lead to the same state. The coupons of a merchant with new ones are
replayed from the beginning, because a coupon may be issued long after orders could use it. Each kind of order is
replayed by itself: a coupon is for one of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from campaigns.coupons import asking_orders, fee_precedence, life_cycle
from campaigns.eligibility import affected, differences
from campaigns.eligibility.changes import NOTHING_CHOSEN, Changes, SubjectSelection
from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.eligibility.held import NOTHING, Held
from campaigns.ledger import journal
from campaigns.models import Attachment, Coupon, Grant, Issuance, Version
from core.db import bulk_update, planner_hints
from core.db.compiled_queries import compiled_query
from core.db.key_set import KeySet
from core.facts import COUPON_FEES, Fee

Status = Coupon.Status
MERCHANTS_AT_ONCE = 500
MOVED_ORDER = "an order of its coupons belongs to another merchant"


def follow(*, at: datetime, batches: tuple[int, ...], held: Held = NOTHING, guard: Guard = PLAIN) -> bool:
    """Bring all coupons up to `at`, but those of merchants in quarantine. `batches` are imports not processed yet.

    Returns False without a change if a tick has brought them further already.
    """
    return _follow(Changes(None, at, batches, held=held, guard=guard))


def follow_orders(
    orders: Sequence[str],
    *,
    kind: str,
    merchants: Sequence[str],
    at: datetime,
    chosen: Mapping[str, int] = NOTHING_CHOSEN,
    asked_at: datetime | None = None,
) -> bool:
    """Bring the coupons of `merchants`, whose `orders` changed, up to `at`, ahead of the next tick.

    `kind` is the subject whose rows the orders are. `chosen` are coupons that a merchant chose, by order, and
    `asked_at` is when it asked for coupons for `orders`.

    Returns False without a change if a tick has brought them further already.
    """
    selection = SubjectSelection(tuple(orders), tuple(merchants), chosen, asked_at)
    return _follow(Changes(None, at, only=selection), [COUPON_FEES[kind]])


def _follow(changes: Changes, fees: Collection[Fee] | None = None) -> bool:
    at = changes.until
    with transaction.atomic(savepoint=False):
        followed = [mark for (mark,) in _marks()()]
        if any(mark is not None and mark > at for mark in followed):
            return False
        if not followed:
            return True
        # An offer that was never followed (None) needs all facts from the beginning, and so do all the others.
        since = None if None in followed else min(mark for mark in followed if mark is not None)
        replay_changed(replace(changes, since=since), COUPON_FEES.values() if fees is None else fees)
        if changes.only is None:
            Issuance.objects.update(spent_until=at)
            planner_hints.analyze_filled()
        return True


@compiled_query
def _marks() -> QuerySet[Issuance, Any]:
    """Select the instant up to which the coupons of each offer were followed, and lock the rows."""
    marks = Issuance.objects.select_for_update(no_key=True).order_by("pk")
    return marks.values_list("spent_until")


def replay_changed(changes: Changes, fees: Collection[Fee]) -> int:
    """Replay the coupons of the merchants that changes concern, and return the number of coupons that moved.

    `fees` are those of the kinds of orders that are followed. All coupons of a merchant for one kind are replayed
    together: an order takes the oldest that fits, of whichever offer.
    """
    with transaction.atomic():
        keys = affected.merchants_to_replay(changes)
        return sum(_replay_kind(fee, keys, changes) for fee in fees)


def _replay_kind(fee: Fee, keys: KeySet | None, changes: Changes) -> int:
    again = changes.held.merchants_again
    moved, earlier = 0, fee_precedence.earlier_claims(fee, keys, until=changes.until)
    codes = (code for code in _holders(fee, keys) if code not in changes.held.merchants and code not in again)
    while chunk := list(islice(codes, MERCHANTS_AT_ONCE)):
        moved += _replay_guarded(chunk, changes, earlier)
    for merchant, since in again.items():
        earlier = fee_precedence.earlier_claims(fee, KeySet(few=(merchant,)), until=changes.until)
        moved += _replay_guarded([merchant], replace(changes, since=since), earlier)
    return moved


def _replay_guarded(merchants: list[str], changes: Changes, earlier: fee_precedence.EarlierClaims) -> int:
    return sum(changes.guard.run("use", merchants, lambda some: _replay_chunk(some, changes, earlier)))


def _holders(fee: Fee, keys: KeySet | None) -> Iterator[str]:
    holders = Coupon.objects.filter(order_kind=fee.subject).order_by().values_list("merchant_id", flat=True).distinct()
    if keys is not None:
        holders = holders.filter(keys.contains("merchant"))
    return holders.iterator(chunk_size=MERCHANTS_AT_ONCE)


def _replay_chunk(merchants: list[str], changes: Changes, earlier: fee_precedence.EarlierClaims) -> int:
    fee = earlier.fee
    moved = _moved_orders(fee, merchants)
    stored = _lock_coupons(fee, merchants)
    rows = {coupon.pk: coupon for coupons in stored.values() for coupon in coupons}
    new = [coupon for coupon in rows.values() if not coupon.replayed]
    with_new = {coupon.merchant_id for coupon in new}
    asks_again = _ask_again(fee, with_new)
    # The definition of a version is large: it is read once a process, not with each coupon.
    versions = Version.objects.only("digest").filter(pk__in={coupon.grant.version_id for coupon in rows.values()})
    orders = asking_orders.by_merchant(fee, set(versions), merchants, changes.until, moved=moved, choice=changes.only)
    attachments: list[Attachment] = []
    held = {merchant: list(map(_wallet_coupon, coupons)) for merchant, coupons in stored.items()}
    # An import that says so is told after the last tick; it has no date of its own.
    told_at = changes.since or changes.until
    moves = _take_off(fee, [coupon for coupons in held.values() for coupon in coupons], told_at)
    known, waiting = _known(merchants, orders, earlier)
    for merchant, coupons in held.items():
        since = None if merchant in with_new else changes.since
        asking = [replace(order, asks_again=order.number in asks_again) for order in orders[merchant]]
        replayed = life_cycle.replay(coupons, asking, known, since=since, until=changes.until)
        moves += replayed.moves
        attachments += _attachments(fee, merchant, orders[merchant], replayed.attached, waiting)
    Attachment.objects.bulk_create(attachments, batch_size=1_000)
    _write(moves, rows)
    for start in range(0, len(new), 1_000):
        Coupon.objects.filter(pk__in=[coupon.pk for coupon in new[start : start + 1_000]]).update(replayed=True)
    _mark_moved_orders(fee, rows, at=changes.until)
    return len({move.coupon.id for move in moves})


def _ask_again(fee: Fee, merchants: set[str]) -> set[str]:
    """Let orders of merchants with new coupons that found none ask again. Returns them.

    A coupon that was issued meanwhile may have been valid when they were placed.
    """
    without = _attached(fee).filter(merchant__in=merchants, coupon=None, waits=False)
    orders = set(without.values_list("order_no", flat=True))
    without.delete()
    return orders


def _known(
    merchants: list[str], orders: Mapping[str, list[life_cycle.Order]], earlier: fee_precedence.EarlierClaims
) -> tuple[set[str], set[str]]:
    """Return the orders whose placement is not to be decided now, and those of them that wait for an earlier claim."""
    attachments = _attached(earlier.fee).filter(merchant__in=merchants)
    attachments.filter(waits=True).delete()
    known = set(attachments.values_list("order_no", flat=True))
    asking = {
        order.number
        for merchant in merchants
        for order in orders[merchant]
        if order.worth and not order.is_cancelled_when_placed and order.number not in known
    }
    waiting = asking & earlier.orders if asking else set()
    return known | waiting, waiting


def _attached(fee: Fee) -> QuerySet[Attachment]:
    return Attachment.objects.filter(order_kind=fee.subject)


def _attachments(
    fee: Fee, merchant: str, orders: Sequence[life_cycle.Order], attached: Mapping[str, int | None], waiting: set[str]
) -> Iterator[Attachment]:
    for order in orders:
        waits = order.number in waiting
        if waits or order.number in attached:
            coupon_id = attached.get(order.number)
            yield Attachment(
                order_kind=fee.subject,
                order_no=order.number,
                merchant_id=merchant,
                coupon_id=coupon_id,
                placed_at=order.placed_at,
                waits=waits,
            )


def _moved_orders(fee: Fee, merchants: list[str]) -> list[str]:
    """Return the orders that asked these wallets and belong to other merchants now; locks the grants of their coupons.

    Grants are locked before coupons.
    """
    moved = _attached(fee).filter(merchant__in=merchants).exclude(merchant=_owner_of(fee, "order_no"))
    orders = list(moved.values_list("order_no", flat=True))
    if orders:
        coupons = Coupon.objects.filter(order_kind=fee.subject, order_no__in=orders)
        grants = Grant.objects.filter(pk__in=coupons.values("grant"))
        list(grants.order_by("pk").select_for_update(no_key=True))
    return orders


def _take_off(fee: Fee, coupons: list[life_cycle.Coupon], at: datetime) -> list[life_cycle.Move]:
    """Return locked coupons whose order asks for none any more, because a later import says so, to the wallet."""
    locked = {coupon.order: coupon for coupon in coupons if coupon.status == Status.LOCKED and coupon.valid_until > at}
    orders = fee.collection.model._default_manager.filter(pk__in=[*locked], use_coupon=False)
    returned = [locked[number] for number in orders.values_list("pk", flat=True)]
    _attached(fee).filter(order_no__in=[coupon.order for coupon in returned]).delete()
    return [coupon.take_off(at) for coupon in returned]


def _lock_coupons(fee: Fee, merchants: list[str]) -> dict[str, list[Coupon]]:
    coupons = Coupon.objects.filter(order_kind=fee.subject, merchant__in=merchants).exclude(status=Status.VOID)
    coupons = coupons.order_by("pk").select_related("grant", "offer")
    stored: dict[str, list[Coupon]] = defaultdict(list)
    for coupon in coupons.select_for_update(of=("self",), no_key=True):
        stored[coupon.merchant_id].append(coupon)
    return stored


def _wallet_coupon(coupon: Coupon) -> life_cycle.Coupon:
    return life_cycle.Coupon(
        id=coupon.pk,
        offer=coupon.offer.code,
        terms=coupon.grant.version_id,
        status=coupon.status,
        face_value=coupon.face_value,
        issued_at=coupon.issued_at,
        valid_from=coupon.valid_from,
        valid_until=coupon.valid_until,
        value=coupon.value,
        order=coupon.order_no,
        is_new=not coupon.replayed,
    )


def _owner_of(fee: Fee, order_no: str) -> Subquery:
    """Return an expression for the present merchant of the order that the field `order_no` names."""
    return Subquery(fee.collection.model._default_manager.filter(pk=OuterRef(order_no)).values("merchant"))


def _mark_moved_orders(fee: Fee, coupons: dict[int, Coupon], *, at: datetime) -> None:
    """Mark the grants of coupons on orders that belong to another merchant now, as of `at`."""
    used = Coupon.objects.filter(pk__in=[pk for pk, coupon in coupons.items() if coupon.order_no])
    changed: dict[int, dict[str, str]] = defaultdict(dict)
    for grant_id, order_no, owner in (
        used.annotate(owner=_owner_of(fee, "order_no"))
        .exclude(owner=F("merchant"))
        .order_by("order_no")
        .values_list("grant", "order_no", "owner")
    ):
        changed[grant_id][str(order_no)] = owner
    known = {coupon.grant_id for coupon in coupons.values() if MOVED_ORDER in coupon.grant.differences}
    marked = []
    for grant in Grant.objects.filter(pk__in={*changed, *known}, status__in=Grant.LIVE).select_for_update(no_key=True):
        orders = " ".join(f"{order_no} {owner}" for order_no, owner in changed[grant.pk].items())
        if differences.mark(grant, {MOVED_ORDER: orders} if orders else {}, of=(MOVED_ORDER,)):
            marked.append(grant)
    differences.save(marked, at=at)


def _write(moves: list[life_cycle.Move], stored: dict[int, Coupon]) -> None:
    moved = {move.coupon.id: move.coupon for move in moves}
    # Two statements: an order that changes coupons must never be on two at once, the unique key forbids it.
    Coupon.objects.filter(pk__in=moved).exclude(order_no=None).update(
        order_no=None, status=Status.ISSUED, value=F("face_value")
    )
    for replayed in moved.values():
        coupon = stored[replayed.id]
        coupon.status, coupon.value, coupon.order_no = Status(replayed.status), replayed.value, replayed.order
    bulk_update.save([stored[pk] for pk in moved], ["status", "value", "order_no"])
    journal.record(_entry(move, stored[move.coupon.id]) for move in moves)


def _entry(move: life_cycle.Move, coupon: Coupon) -> journal.NewEntry:
    return journal.NewEntry(
        coupon_id=coupon.pk,
        offer_id=coupon.offer_id,
        version_id=coupon.grant.version_id,
        at=move.at,
        source=move.source,
        target=move.target,
        amount=move.value,
        currency=coupon.currency,
        order_no=move.order,
        by=journal.ENGINE,
        reason=move.target,
        merchant=coupon.merchant_id,
        subject=coupon.grant.subject,
    )
