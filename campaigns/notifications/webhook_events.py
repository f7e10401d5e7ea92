"""Events as webhooks send them: their names, `object.verb`, and their bodies."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from campaigns.models import Coupon, Delivery, OutboxEvent

Kind = OutboxEvent.Kind

NAMES = {
    Kind.GRANTED: "grant.created",
    Kind.LOCKED: "grant.locked",
    Kind.SETTLED: "grant.settled",
    Kind.RELEASED: "grant.released",
    Kind.FORFEITED: "grant.forfeited",
    Kind.REVOKED: "grant.revoked",
    Kind.REVIEW_STARTED: "grant.flagged",
    Kind.KEPT: "grant.kept",
    Kind.REFUSED: "claim.refused",
    Kind.COUPON_ISSUED: "coupon.issued",
    Kind.COUPON_LOCKED: "coupon.attached",
    Kind.COUPON_RETURNED: "coupon.returned",
    Kind.COUPON_REDEEMED: "coupon.redeemed",
    Kind.COUPON_EXPIRING: "coupon.expiring",
    Kind.COUPON_EXPIRED: "coupon.expired",
    Kind.COUPON_VOID: "coupon.withdrawn",
    Kind.QUOTA_80: "quota.reached",
    Kind.QUOTA_95: "quota.reached",
    Kind.QUOTA_100: "quota.reached",
}
TEST = "endpoint.tested"
PERCENT = {Kind.QUOTA_80: 80, Kind.QUOTA_95: 95, Kind.QUOTA_100: 100}
OPTIONAL = frozenset({Kind.REFUSED})
"""Kinds that are sent only to endpoints that ask for them: most claims of a busy offer are refused."""


def wants(kinds: Iterable[str], kind: str) -> bool:
    """Return whether an endpoint with these kinds, none for the usual ones, gets an event of this kind."""
    chosen = frozenset(kinds)
    return kind in chosen if chosen else kind not in OPTIONAL


def kinds_named(names: Iterable[str]) -> list[str]:
    """Return the kinds of events with these names."""
    wanted = frozenset(names)
    return sorted(kind.value for kind, name in NAMES.items() if name in wanted)


def names_of(kinds: Iterable[str]) -> list[str]:
    """Return the names of kinds of events, each once."""
    return sorted({NAMES[Kind(kind)] for kind in kinds})


def about(event: OutboxEvent) -> str:
    """Return the name of the object that changed: events about one object are delivered in their order."""
    if event.coupon_id is not None:
        return f"coupon {event.coupon_id}"
    return f"{event.offer_id} {event.subject}"


def bodies(deliveries: Iterable[Delivery]) -> dict[int, dict[str, Any]]:
    """Return the body of each delivery by its key. One query for the codes of coupons."""
    chosen = list(deliveries)
    coupons = {delivery.event.coupon_id for delivery in chosen if delivery.event and delivery.event.coupon_id}
    codes = dict(Coupon.objects.filter(pk__in=coupons).values_list("pk", "code")) if coupons else {}
    return {delivery.pk: _body(delivery, codes) for delivery in chosen}


def _body(delivery: Delivery, codes: dict[int, str]) -> dict[str, Any]:
    event = delivery.event
    if event is None:
        return {"type": TEST, "timestamp": _timestamp(delivery.created_at), "data": {}}
    kind = Kind(event.kind)
    data = {
        "offer": event.offer.code,
        "coupon": codes.get(event.coupon_id or 0),
        "merchant": event.merchant_id,
        "subject": event.subject or None,
        "subject_type": event.offer.subject if event.subject else None,
        "order_no": event.order_no or None,
        "amount": None if event.amount is None else f"{event.amount:.2f}",
        "currency": event.currency or None,
        "percent": PERCENT.get(kind),
        "reason": event.reason or None,
    }
    return {"type": NAMES[kind], "timestamp": _timestamp(event.at), "data": data}


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
