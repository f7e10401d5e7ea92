"""Webhooks in the OpenAPI schema: one for each event, with an example."""

from typing import Any

from campaigns.notifications import webhook_events

SUMMARIES = {
    "grant.created": "A subject got a place, and with it a benefit.",
    "grant.locked": "The benefit is certain for the subject and will be settled later.",
    "grant.settled": "The benefit is due: its amount is in the statement of the month.",
    "grant.released": "The grant has ended, and its quota is free for others.",
    "grant.forfeited": "The grant has ended, because a requirement was not met in time; its quota stays used.",
    "grant.revoked": "An operator took the grant back, or a fact did.",
    "grant.flagged": "A fact that the grant rests on was corrected: an operator decides whether it is kept.",
    "grant.kept": "A grant under review was accepted.",
    "claim.refused": "A claim got nothing. Sent only to endpoints that ask for it.",
    "coupon.issued": "A coupon is in the merchant's wallet.",
    "coupon.attached": "A coupon was attached to an order.",
    "coupon.returned": "A coupon came back from an order into the wallet.",
    "coupon.redeemed": "A coupon reduced the freight of an order that was paid.",
    "coupon.expiring": "Unused coupons expire in five days; `reason` is their number.",
    "coupon.expired": "A coupon was not used in time.",
    "coupon.withdrawn": "An unused coupon was taken away.",
    "quota.reached": "80, 95 or 100 percent of the quota or a budget of an offer are used: see `percent`, `reason`.",
    webhook_events.TEST: "An operator asked for a test. `data` is empty.",
}
EMPTY: dict[str, Any] = dict.fromkeys(
    ("offer", "coupon", "merchant", "subject", "subject_type", "order_no", "amount", "currency", "percent", "reason")
)
OF_GRANT = {
    **EMPTY,
    "offer": "freight-ten",
    "merchant": "M00003",
    "subject": "F00042",
    "subject_type": "freight_order",
    "amount": "80.00",
    "currency": "CNY",
}
OF_COUPON = {
    **EMPTY,
    "offer": "express-coupons",
    "coupon": "7KQ2-M4XD-90PW",
    "merchant": "M00003",
    "subject": "M00003",
    "subject_type": "merchant",
    "amount": "25.00",
    "currency": "CNY",
}
DETAILS: dict[str, dict[str, Any]] = {
    "grant.created": {"reason": "settled at the claim"},
    "grant.released": {"reason": "cancelled"},
    "grant.forfeited": {"reason": "not fulfilled by the deadline"},
    "grant.revoked": {"reason": "embargoed goods"},
    "grant.flagged": {"reason": "the amount changed"},
    "claim.refused": {"amount": None, "currency": None, "reason": "quota_exhausted"},
    "coupon.attached": {"order_no": "F00042"},
    "coupon.returned": {"order_no": "F00042"},
    "coupon.redeemed": {"order_no": "F00042"},
    "coupon.expiring": {"coupon": None, "amount": "200.00", "reason": "8"},
    "coupon.withdrawn": {"reason": "embargoed goods"},
}
TEXT = {"type": ["string", "null"]}
EVENT = {
    "type": "object",
    "description": "Body of a webhook. Headers sign it according to Standard Webhooks.",
    "properties": {
        "type": {"type": "string", "enum": sorted(SUMMARIES)},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, by the facts."},
        "data": {
            "type": "object",
            "properties": {
                "offer": {**TEXT, "description": "Code of the offer."},
                "coupon": {**TEXT, "description": "Code of the coupon."},
                "merchant": {**TEXT, "description": "Code of the merchant."},
                "subject": {**TEXT, "description": "Key of the order, draw or merchant that the benefit is for."},
                "subject_type": {**TEXT, "description": "Type of the subject, as in `/claims/`."},
                "order_no": {**TEXT, "description": "Freight order on which a coupon is used."},
                "amount": {**TEXT, "description": "Money as text with two decimals."},
                "currency": TEXT,
                "percent": {"type": ["integer", "null"], "description": "Share of the places that are taken."},
                "reason": {**TEXT, "description": "Code or text of the reason."},
            },
            "additionalProperties": True,
        },
    },
    "required": ["type", "timestamp", "data"],
    "additionalProperties": False,
}
RESPONSES = {
    "2XX": {"description": "Accepted. Answer within five seconds."},
    "410": {"description": "The address is gone: the webhook is disabled, and its owner is told."},
    "429": {"description": "Too fast. Nothing is sent before the time in Retry-After."},
    "503": {"description": "Not now. This delivery is tried again after the time in Retry-After."},
    "default": {"description": "Not accepted. The delivery is tried again, with growing waits, for three days."},
}


def webhooks() -> dict[str, Any]:
    """Return the `webhooks` of the OpenAPI schema."""
    return {name: {"post": _operation(name)} for name in sorted(SUMMARIES)}


def example(name: str) -> dict[str, Any]:
    """Return an example of an event."""
    match name.partition(".")[0]:
        case "endpoint":
            data: dict[str, Any] = {}
        case "quota":
            data = {**EMPTY, "offer": "freight-ten", "percent": 80, "reason": "2400 / 3000"}
        case "coupon":
            data = {**OF_COUPON, **DETAILS.get(name, {})}
        case _:
            data = {**OF_GRANT, **DETAILS.get(name, {})}
    return {"type": name, "timestamp": "2022-09-02T04:00:00Z", "data": data}


def _operation(name: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/WebhookEvent"}
    content = {"application/json": {"schema": schema, "example": example(name)}}
    return {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": SUMMARIES[name],
        "requestBody": {"required": True, "content": content},
        "responses": RESPONSES,
    }
