"""Examples of requests and responses in the OpenAPI schema, one for each operation."""

from typing import Any

from api import webhook_docs

AT, LATER = "2022-09-20T12:30:00Z", "2022-10-15T16:00:00Z"
CONDITION = {
    "name": "base_freight",
    "held": False,
    "holds_now": None,
    "operator": "at_least",
    "required": "760.00",
    "actual": "480.00",
    "shortfall": "280.00",
    "unit": "CNY",
    "required_text": "base freight is at least 760.00 CNY",
    "actual_text": "480.00 CNY",
    "shortfall_text": "280.00 CNY short",
}
HELD = {**CONDITION, "held": True, "actual": "1000.00", "shortfall": None, "actual_text": "1,000.00 CNY"} | {
    "shortfall_text": ""
}
EXPLANATION = {
    "offer": "charter-5-off",
    "version": 1,
    "outcome": "granted",
    "status": "settled",
    "claimed_at": AT,
    "decides_at": None,
    "place": 125,
    "amount": "50.00",
    "benefit": None,
    "currency": "CNY",
    "next_period": None,
    "review": "",
    "conditions": [HELD],
    "quarantined_since": None,
}
REFUSED = {
    **EXPLANATION,
    "outcome": "refused",
    "status": "",
    "place": None,
    "amount": None,
    "currency": "",
    "conditions": [CONDITION],
}
CLAIM = {
    "id": "freight_order/F0001",
    "href": "/api/v1/claims/freight_order/F0001/",
    "subject": "freight_order",
    "key": "F0001",
    "state": "settled",
    "outcome": "granted",
    "decides_at": None,
    "answers": [EXPLANATION],
}
WAITING = {
    **CLAIM,
    "state": "waiting",
    "outcome": "waiting",
    "decides_at": LATER,
    "answers": [
        {**EXPLANATION, "outcome": "pending", "status": "", "place": None, "amount": None, "currency": ""}
        | {"decides_at": LATER}
    ],
}
NOT_APPLICABLE: dict[str, Any] = {**CLAIM, "state": "not_applicable", "outcome": "not_applicable", "answers": []}
PROBLEM = {
    "type": "/api/v1/errors/refused/",
    "title": "Conditions not met",
    "status": 409,
    "code": "refused",
    "detail": "No offer granted this subject a benefit. See answers.",
    "errors": [],
}
REFUSAL = {**PROBLEM, **CLAIM, "state": "refused", "outcome": "refused", "answers": [REFUSED]}
FACT = {
    "order_no": "F0001",
    "merchant_code": "M00003",
    "service": "express",
    "line": "us-charter-select",
    "base_freight": "1000.00",
    "currency": "CNY",
    "placed_at": "2022-09-20T12:00:00Z",
    "paid_at": AT,
}
RECORDED = {
    "kind": "freight_orders",
    "fact": {
        **FACT,
        "account_code": None,
        "promo_flag": False,
        "use_coupon": False,
        "shipped_at": None,
        "departed_at": None,
        "cancelled_at": None,
    },
}
IMPORTED = {"rows": 1, "added": 1, "changed": 0, "unchanged": 0, "future": 0}
OFFER = {
    "code": "charter-5-off",
    "campaign": "september-2022",
    "name": "China–US charter 5% off from 760 yuan",
    "version": 1,
    "subject": "freight_order",
    "opens": "2022-09-01T07:00:00Z",
    "order_by": LATER,
    "closes": LATER,
    "paused_at": None,
    "stopped_at": None,
}
DETAIL = {
    **OFFER,
    "terms": {"code": "charter-5-off", "subject": "freight_order", "benefit": {"fee": "freight", "percent": 5}},
    "sentences": {
        "benefit": "5% off the freight",
        "claim": "when the order is paid",
        "conditions": ["base freight is at least 760.00 CNY"],
        "quota": "10,000 places",
        "settlement": ["at the claim"],
        "funding": "",
    },
}
BAND = {
    "of": "amount",
    "per": "all",
    "currency": "USD",
    "limit": "50000.00",
    "used": "125.00",
    "left": "49875.00",
    "next_period": LATER,
    "text": "at most 50,000.00 USD in all, each calendar month (Los Angeles time)",
}
QUOTA = {
    "limit": 10000,
    "used": 125,
    "reserved": 0,
    "left": 9875,
    "per_merchant": None,
    "bands": [BAND],
    "as_of": AT,
    "forecast": None,
}
MERCHANT = {
    "code": "M00003",
    "href": "/api/v1/merchants/M00003/",
    "name": "宁波海蓝贸易有限公司",
    "name_en": "Ningbo Hailan Trading",
    "country": "CN",
    "category_l1": "Home & Garden",
    "category_l2": "Kitchen",
    "logistics_partner": False,
}
GRANT = {
    "id": 4711,
    "href": "/api/v1/grants/4711/",
    "offer": "charter-5-off",
    "subject": "F0001",
    "subject_type": "freight_order",
    "review": "",
    "merchant": "M00003",
    "status": "settled",
    "amount": "50.00",
    "currency": "CNY",
    "claimed_at": AT,
    "ended_at": None,
}
COUPON = {
    "code": "7KQ2-M4XD-90PW",
    "href": "/api/v1/coupons/7KQ2-M4XD-90PW/",
    "offer": "express-coupons",
    "merchant": "M00003",
    "status": "locked",
    "value": "25.00",
    "face_value": "25.00",
    "price": None,
    "currency": "CNY",
    "valid_from": AT,
    "valid_until": "2022-12-01T08:00:00Z",
    "order_kind": "freight_order",
    "order_no": "F0002",
}
PRICE_COUPON = {
    **COUPON,
    "offer": "flash-photo-tool",
    "value": "98.00",
    "face_value": "0.00",
    "price": "1.00",
    "order_kind": "service_order",
    "order_no": "S0001",
}
DETACHED = {**COUPON, "status": "issued", "order_no": None}
BENEFIT = {
    "offer": "express-coupons",
    "state": "eligible",
    "reasons": [HELD],
    "asks": ["service is express"],
    "progress": None,
    "left": 2400,
    "own_left": 1,
    "bands": [],
}
LINE = {
    "offer": "charter-5-off",
    "merchant": "M00003",
    "currency": "CNY",
    "settled": "50.00",
    "reversed": "0.00",
    "redeemed": "0.00",
    "returned": "0.00",
    "total": "50.00",
}
KEY = {
    "id": "3f9a1c07d2e4",
    "href": "/api/v1/keys/3f9a1c07d2e4/",
    "name": "shop",
    "merchant": "M00003",
    "scopes": ["read", "claim"],
    "created_at": AT,
    "created_by": "8c21f0aa97b3 platform",
    "expires_at": None,
    "revoked_at": None,
    "used_at": None,
}
NEW_KEY = {**KEY, "secret": "fg_3f9a1c07d2e4_…"}  # an example  # nosec B105
WEBHOOK = {
    "id": 12,
    "href": "/api/v1/webhooks/12/",
    "name": "shop",
    "url": "https://shop.example.com/benefits",
    "merchant": "M00003",
    "events": ["grant.created", "grant.released"],
    "status": "enabled",
    "created_at": AT,
    "created_by": "3f9a1c07d2e4 shop",
    "held_until": None,
    "old_secret_until": None,  # nosec B105
}
NEW_WEBHOOK = {**WEBHOOK, "secret": "whsec_…"}  # an example  # nosec B105
DELIVERY = {
    "id": "msg_2f6c9b0d7e8a4c13",
    "href": "/api/v1/deliveries/msg_2f6c9b0d7e8a4c13/",
    "webhook": 12,
    "status": "delivered",
    "tries": 1,
    "response_status": 204,
    "error": "",
    "created_at": AT,
    "delivered_at": AT,
    "next_try_at": None,
    "event": webhook_docs.example("grant.created"),
}
SENT = {**DELIVERY, "status": "pending", "tries": 0, "response_status": None, "delivered_at": None, "next_try_at": AT}
SUBJECT = {"subject": "freight_order", "key": "F0001"}


def _page(row: dict[str, Any]) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": [row]}


USE = {
    "usage_no": "U0001",
    "result": "accepted",
    "use": "marketing_mail",
    "used_at": AT,
    "taken": 3,
    "allowance": "marketing-mails",
    "period": "2022-09-20",
    "units": 200,
    "used": 46,
    "left": 154,
    "until": "2022-09-20T16:00:00Z",
}
USE_REFUSAL = {
    **PROBLEM,
    **USE,
    "type": "/api/v1/errors/nothing_left/",
    "title": "Nothing left",
    "code": "nothing_left",
    "detail": "The use was refused, and nothing was taken. See what is left.",
    "result": "nothing_left",
    "taken": 0,
    **dict.fromkeys(("allowance", "units", "used", "left", "until")),
    "period": "",
}
ALLOWANCE = {
    "code": "marketing-mails",
    "name": "Marketing mails",
    "use": "marketing_mail",
    "state": "had",
    "period": "2022-09-20",
    "units": 200,
    "used": 46,
    "left": 154,
    "starts_at": "2022-09-19T16:00:00Z",
    "until": "2022-09-20T16:00:00Z",
    "collected_at": None,
    "conditions": [],
}
ENTITLEMENT = {"code": "bnpl", "name": "Buy now, pay later", "value": "yes"}
PLAIN_RATING = {
    "scorecard": "star-rating",
    "series": "official",
    "period": "2022-10",
    "level": "1",
    "score": "45.00",
    "evaluated_at": "2022-09-30T16:00:00Z",
    "starts_at": "2022-10-04T16:00:00Z",
    "ends_at": "2022-11-04T16:00:00Z",
    "version": 1,
}
RATING_BAND = {"direction": "from", "bound": "1000.00", "points": "45.00"}
NEXT_RATING_BAND = {"direction": "from", "bound": "3000.00", "points": "60.00", "missing": "1750.00"}
RATING_PART = {
    "code": "trade",
    "name": "Trade",
    "depth": 0,
    "points": "45.00",
    "before_limits": "45.00",
    "at_most": None,
    "capped": False,
    "unmet": [],
    "found": "1250.00",
    "unit": "USD",
    "band": RATING_BAND,
    "next_band": NEXT_RATING_BAND,
    "asked": None,
    "text": "Trade volume 1,250.00 USD, from 1,000.00 USD",
    "level": "1",
    "items": [],
}
RATING_STEP = {
    "part": "trade",
    "item": "trade",
    "found": "1250.00",
    "target": "3000.00",
    "missing": "1750.00",
    "unit": "USD",
    "gain": "15.00",
    "reaches": True,
    "certain": False,
    "text": "Trade volume: 3,000.00 USD, 1,750.00 USD more",
}
RATINGS = {
    "scorecard": "star-rating",
    "name": "Star rating",
    "official": {**PLAIN_RATING, "level_name": "1", "parts": [RATING_PART], "next_steps": [RATING_STEP]},
    "predicted": None,
    "history": [{**PLAIN_RATING, "parts": [{"code": "trade", "points": "45.00"}]}],
}
COLLECTED = {
    **ALLOWANCE,
    "code": "rfq-pass",
    "name": "RFQ pass",
    "use": "rfq_pass",
    "period": "2022-09",
    "units": 1,
    "used": 0,
    "left": 1,
    "starts_at": "2022-09-04T16:00:00Z",
    "until": "2022-09-30T16:00:00Z",
    "collected_at": AT,
}
NOT_COLLECTED = {
    **PROBLEM,
    "type": "/api/v1/errors/not_collected/",
    "title": "Allowance not collected",
    "status": 409,
    "code": "not_collected",
    "detail": "The request is recorded and collected nothing. `allowance` says what is missing.",
    "errors": [],
}
MADE: dict[str, list[Any]] = {"keys": [], "webhooks": [], "changed_webhooks": []}
MADE_WITH_KEY = {
    **PROBLEM,
    "type": "/api/v1/errors/made_with_key/",
    "title": "Made with this key",
    "status": 409,
    "code": "made_with_key",
    "detail": "Keys or webhooks that were made with this API key still work. Nothing was revoked.",
    "errors": [],
}
REQUESTS: dict[str, Any] = {
    "use_allowance": {"usage_no": "U0001", "account_code": "A1", "use": "marketing_mail", "quantity": 3},
    "quote": SUBJECT,
    "claim": {"subject": "freight_order", "fact": FACT},
    "follow_claim": {"at": AT},
    "collect_allowance": {"offer": "rfq-pass", "account_code": "M00003-main"},
    "request_offer": {"offer": "flash-photo-tool", "account_code": "M00003-main"},
    "record_facts": {"facts": [FACT]},
    "replace_facts": {"facts": [FACT]},
    "change_facts": {"facts": [{"order_no": "F0001", "cancelled_at": AT}]},
    "issue_key": {"name": "shop", "scopes": ["read", "claim"], "merchant": "M00003"},
    "rotate_key": {"overlap_hours": 24},
    "register_webhook": {"name": "shop", "url": "https://shop.example.com/benefits", "events": ["grant.created"]},
    "change_webhook": {"enabled": False},
}
"""Bodies of requests by operation."""
RESPONSES: dict[str, dict[str, Any]] = {
    "use_allowance": {"201": USE, "409": USE_REFUSAL},
    "get_use": {"200": USE},
    "list_allowances": {"200": _page(ALLOWANCE)},
    "collect_allowance": {"201": COLLECTED, "409": {**NOT_COLLECTED, "allowance": COLLECTED}},
    "list_merchant_entitlements": {"200": _page({"code": "star_badge", "name": "Star badge", "value": "yes"})},
    "list_merchant_ratings": {"200": _page(RATINGS)},
    "list_buyer_entitlements": {"200": _page(ENTITLEMENT)},
    "list_campaigns": {"200": _page({"code": "september-2022", "name_en": "September festival", "name_zh": "采购节"})},
    "list_offers": {"200": _page(OFFER)},
    "get_offer": {"200": DETAIL},
    "get_quota": {"200": QUOTA},
    "get_quota_history": {"200": _page({"at": "2022-09-20T00:00:00Z", "taken": 5, "total": 125})},
    "get_statement": {"200": _page(LINE)},
    "list_merchants": {"200": _page(MERCHANT)},
    "get_merchant": {"200": MERCHANT},
    "list_benefits": {"200": _page(BENEFIT)},
    "list_grants": {"200": _page(GRANT)},
    "get_grant": {"200": GRANT},
    "list_coupons": {"200": _page(COUPON)},
    "get_coupon": {"200": COUPON},
    "list_decisions": {"200": _page({**EXPLANATION, "subject": "F0001"})},
    "explain": {"200": _page(EXPLANATION)},
    "quote": {"200": CLAIM},
    "claim": {"200": NOT_APPLICABLE, "201": CLAIM, "202": WAITING, "409": REFUSAL},
    "request_offer": {"200": NOT_APPLICABLE, "201": CLAIM, "202": WAITING, "409": REFUSAL},
    "get_claim": {"200": CLAIM},
    "follow_claim": {"200": CLAIM},
    "list_facts": {"200": _page(RECORDED)},
    "get_fact": {"200": RECORDED},
    **{key: {"200": IMPORTED} for key in ("record_facts", "replace_facts")},
    "change_facts": {"200": {**IMPORTED, "added": 0, "changed": 1}},
    "attach_coupon": {"201": COUPON},
    "detach_coupon": {"200": DETACHED},
    "attach_coupon_of_service_order": {"201": PRICE_COUPON},
    "detach_coupon_of_service_order": {"200": {**PRICE_COUPON, "status": "issued", "value": "0.00", "order_no": None}},
    "list_keys": {"200": _page(KEY)},
    "issue_key": {"201": NEW_KEY},
    "get_key": {"200": KEY},
    "rotate_key": {"201": NEW_KEY},
    "revoke_key": {
        "200": {**KEY, "revoked_at": AT, **MADE},
        "409": {**MADE_WITH_KEY, **MADE, "keys": ["4f1c9a7be2d0"]},
    },
    "list_webhooks": {"200": _page(WEBHOOK)},
    "register_webhook": {"201": NEW_WEBHOOK},
    "get_webhook": {"200": WEBHOOK},
    "change_webhook": {"200": {**WEBHOOK, "status": "disabled"}},
    "rotate_webhook_secret": {"201": {**NEW_WEBHOOK, "old_secret_until": "2022-09-21T12:30:00Z"}},  # nosec B105
    "test_webhook": {"202": SENT},
    "list_deliveries": {"200": _page(DELIVERY)},
    "get_delivery": {"200": DELIVERY},
    "resend_delivery": {"202": SENT},
}
"""Bodies of responses by operation and status."""


def add(operation: dict[str, Any]) -> None:
    """Add the examples of an operation to its declaration."""
    name = operation["operationId"]
    if name in REQUESTS:
        for content in operation["requestBody"]["content"].values():
            content["example"] = REQUESTS[name]
    for status, body in RESPONSES.get(name, {}).items():
        for content in operation["responses"][status]["content"].values():
            content["example"] = body
