"""Types of the responses, made from the OpenAPI schema by `python -m tests.generate_clients`.

Instants are ISO 8601 text in UTC, money is decimal text.
"""

from typing import Literal, NotRequired, TypedDict

AllowanceStateEnum = Literal["had", "collectable", "not_eligible", "outside_period"]

BenefitState = Literal["granted", "qualified", "eligible", "running_out", "soon", "not_eligible", "over"]

ClaimOutcome = Literal[
    "granted",
    "waiting",
    "paused",
    "quota_exhausted",
    "merchant_cap",
    "holder_cap",
    "stopped",
    "refused",
    "before_opening",
    "not_claimed",
    "not_applicable",
]

ClaimState = Literal[
    "reserved",
    "locked",
    "settled",
    "released",
    "forfeited",
    "revoked",
    "waiting",
    "paused",
    "quota_exhausted",
    "merchant_cap",
    "holder_cap",
    "stopped",
    "refused",
    "before_opening",
    "not_claimed",
    "not_applicable",
]

CouponStatus = Literal["issued", "locked", "redeemed", "expired", "void"]

DeliveryStatus = Literal["pending", "delivered", "given_up"]

DirectionEnum = Literal["from", "to"]

EventName = Literal[
    "claim.refused",
    "coupon.attached",
    "coupon.expired",
    "coupon.expiring",
    "coupon.issued",
    "coupon.redeemed",
    "coupon.returned",
    "coupon.withdrawn",
    "grant.created",
    "grant.flagged",
    "grant.forfeited",
    "grant.kept",
    "grant.locked",
    "grant.released",
    "grant.revoked",
    "grant.settled",
    "quota.reached",
]

GrantStatus = Literal["reserved", "locked", "settled", "released", "forfeited", "revoked"]

OfEnum = Literal["grants", "amount"]

Operator = Literal[
    "is",
    "is_not",
    "in",
    "not_in",
    "in_reference",
    "not_in_reference",
    "at_least",
    "more_than",
    "at_most",
    "less_than",
    "empty",
    "within",
    "from",
    "by",
    "not_before",
    "within_hours",
    "happened",
    "in_force",
    "not_in_force",
    "any",
]

OrderKindEnum = Literal["freight_order", "service_order"]

Outcome = Literal[
    "granted",
    "refused",
    "superseded",
    "merchant_cap",
    "quota_exhausted",
    "stopped",
    "holder_cap",
    "pending",
    "before_opening",
    "no_claim",
    "not_a_subject",
]

ResultEnum = Literal["accepted", "no_allowance", "nothing_left"]

Scope = Literal["read", "claim", "facts", "keys", "webhooks"]

SeriesEnum = Literal["official", "predicted"]

Subject = Literal[
    "buyer_payment",
    "claim_request",
    "event",
    "financing_draw",
    "freight_order",
    "listing",
    "merchant",
    "merchant_period",
    "order_item",
    "review",
    "service_order",
    "trade_order",
    "usage",
]

WebhookStatus = Literal["enabled", "disabled", "gone"]


class ApiKey(TypedDict):
    """API key, without its secret."""

    id: str
    href: str
    name: str
    merchant: str | None
    scopes: list[Scope]
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    used_at: str | None


class Band(TypedDict):
    """Limit of a quota other than `limit` and `per_merchant`, and its use in the present period."""

    of: OfEnum
    per: str
    currency: str | None
    limit: str
    used: str | None
    left: str | None
    next_period: str | None
    text: str


class Campaign(TypedDict):
    code: str
    name_en: str
    name_zh: str


class ConditionResult(TypedDict):
    """Result of one condition, as values for programs and as text for people."""

    name: str
    held: bool
    holds_now: bool | None
    operator: Operator
    required: str | int | bool | list[str] | dict[str, str] | None
    actual: str | int | bool | None
    shortfall: str | int | None
    unit: str | None
    required_text: str
    actual_text: str
    shortfall_text: str


class Coupon(TypedDict):
    code: str
    href: str
    offer: str
    merchant: str
    status: CouponStatus
    value: str
    face_value: str
    price: str | None
    currency: str
    valid_from: str
    valid_until: str
    order_kind: OrderKindEnum
    order_no: str | None


class Entitlement(TypedDict):
    """Entitlement that a holder has now."""

    code: str
    name: str
    value: str


class Fact(TypedDict):
    """A recorded fact, with the column names of its file."""

    kind: Literal[
        "merchants",
        "reference_lists",
        "buyers",
        "accounts",
        "memberships",
        "service_packages",
        "penalties",
        "carton_specs",
        "buyer_levels",
        "freight_orders",
        "freight_templates",
        "trade_orders",
        "financing_draws",
        "credentials",
        "events",
        "listings",
        "receipts",
        "buyer_payments",
        "service_orders",
        "claim_requests",
        "usages",
        "price_tiers",
        "store_discounts",
        "buyer_actions",
        "order_items",
        "reviews",
        "violations",
    ]
    fact: dict[str, str | int | bool | None]


class FieldError(TypedDict):
    """One fault of a request: the `pointer` to the value in its body, or the `parameter` of its address."""

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    code: str
    detail: str


class Forecast(TypedDict):
    """Instants at which the last place may be taken, at the pace of `taken` places since `since`; null: never."""

    soonest: str
    likely: str
    latest: str | None
    taken: int
    since: str


class Grant(TypedDict):
    id: int
    href: str
    offer: str
    subject: str
    subject_type: str
    merchant: str
    status: GrantStatus
    review: str
    amount: str
    currency: str
    claimed_at: str
    ended_at: str | None


class HistoryPoint(TypedDict):
    """Net places taken in the hour or day that starts at `at`, and all places taken at its end."""

    at: str
    taken: int
    total: int


class ImportResult(TypedDict):
    rows: int
    added: int
    changed: int
    unchanged: int
    future: int


class Merchant(TypedDict):
    code: str
    href: str
    name: str
    name_en: str
    country: str
    category_l1: str
    category_l2: str
    logistics_partner: bool


class NewApiKey(TypedDict):
    """API key with its text, which is shown once: the response to a repetition of the request has null."""

    id: str
    href: str
    name: str
    merchant: str | None
    scopes: list[Scope]
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    used_at: str | None
    secret: str | None


class NewWebhook(TypedDict):
    """Webhook with its secret, which is shown once: the response to a repetition of the request has null."""

    id: int
    href: str
    name: str
    url: str
    merchant: str | None
    events: list[EventName]
    status: WebhookStatus
    created_at: str
    created_by: str
    held_until: str | None
    old_secret_until: str | None
    secret: str | None


class NextPointBand(TypedDict):
    """Next better band, and how far the number is from it."""

    direction: DirectionEnum
    bound: str
    points: str
    missing: str


class Offer(TypedDict):
    code: str
    campaign: str
    name: str
    version: int
    subject: Subject
    opens: str | None
    order_by: str | None
    closes: str | None
    paused_at: str | None
    stopped_at: str | None


class PointBand(TypedDict):
    """Band of a number: it begins at `bound` where `direction` is `from`, or ends there where it is `to`."""

    direction: DirectionEnum
    bound: str
    points: str


class RatingPoints(TypedDict):
    """Points of a part of a rating."""

    code: str
    points: str


class RatingStep(TypedDict):
    """Change of one number, or of an answer, that brings points."""

    part: str
    item: str
    found: str | None
    target: str | None
    missing: str | None
    unit: str | None
    gain: str
    reaches: bool
    certain: bool
    text: str


class RevokedApiKey(TypedDict):
    """Revoked API key, and the keys and webhooks that ended with it."""

    id: str
    href: str
    name: str
    merchant: str | None
    scopes: list[Scope]
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    used_at: str | None
    keys: list[str]
    webhooks: list[int]
    changed_webhooks: list[int]


class StatementLine(TypedDict):
    """Amounts of one merchant and offer in a month. `total` is settled + redeemed - reversed - returned."""

    offer: str
    merchant: str
    currency: str
    settled: str
    reversed: str
    redeemed: str
    returned: str
    total: str


class Terms(TypedDict):
    """Terms of an offer as sentences, in the language of the response."""

    benefit: str
    claim: str
    conditions: list[str]
    quota: str
    settlement: list[str]
    funding: str


class UseResult(TypedDict):
    """Result of a use, and the allowance that it used, as it is now."""

    usage_no: str
    result: ResultEnum
    use: str
    used_at: str
    taken: int
    allowance: str | None
    period: str
    units: int | None
    used: int | None
    left: int | None
    until: str | None


class Webhook(TypedDict):
    """Webhook, without its secret."""

    id: int
    href: str
    name: str
    url: str
    merchant: str | None
    events: list[EventName]
    status: WebhookStatus
    created_at: str
    created_by: str
    held_until: str | None
    old_secret_until: str | None


class WebhookEvent(TypedDict):
    """Body of a webhook. Headers sign it according to Standard Webhooks."""

    type: Literal[
        "claim.refused",
        "coupon.attached",
        "coupon.expired",
        "coupon.expiring",
        "coupon.issued",
        "coupon.redeemed",
        "coupon.returned",
        "coupon.withdrawn",
        "endpoint.tested",
        "grant.created",
        "grant.flagged",
        "grant.forfeited",
        "grant.kept",
        "grant.locked",
        "grant.released",
        "grant.revoked",
        "grant.settled",
        "quota.reached",
    ]
    timestamp: str
    data: dict[str, int | str | None]


class Allowance(TypedDict):
    """Allowance of a merchant in the present part of its period."""

    code: str
    name: str
    use: str
    state: AllowanceStateEnum
    period: str
    units: int | None
    used: int
    left: int
    starts_at: str | None
    until: str | None
    collected_at: str | None
    conditions: list[ConditionResult]


class Benefit(TypedDict):
    """Status of a merchant with an offer."""

    offer: str
    state: BenefitState
    reasons: list[ConditionResult]
    asks: list[str]
    progress: ConditionResult | None
    left: int | None
    own_left: int | None
    bands: list[Band]


class Decision(TypedDict):
    """Explanation of a stored decision, by the version of the terms that decided."""

    offer: str
    version: int
    outcome: Outcome
    status: GrantStatus | Literal[""]
    claimed_at: str | None
    decides_at: str | None
    place: int | None
    benefit: str | None
    amount: str | None
    currency: str
    next_period: str | None
    review: str
    conditions: list[ConditionResult]
    quarantined_since: str | None
    subject: str


class Delivery(TypedDict):
    """One event for one webhook. `id` is the header `webhook-id`, the same at every try."""

    id: str
    href: str
    webhook: int
    status: DeliveryStatus
    tries: int
    response_status: int | None
    error: str
    created_at: str
    delivered_at: str | None
    next_try_at: str | None
    event: WebhookEvent


class Explanation(TypedDict):
    """Decision of an offer about one subject, condition by condition. `outcome` is a stable code."""

    offer: str
    version: int
    outcome: Outcome
    status: GrantStatus | Literal[""]
    claimed_at: str | None
    decides_at: str | None
    place: int | None
    benefit: str | None
    amount: str | None
    currency: str
    next_period: str | None
    review: str
    conditions: list[ConditionResult]
    quarantined_since: str | None


class MadeWithKey(TypedDict):
    """Problem of a key whose keys and webhooks still work: say what happens to them."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]
    keys: list[str]
    webhooks: list[int]
    changed_webhooks: list[int]


class OfferDetail(TypedDict):
    code: str
    campaign: str
    name: str
    version: int
    subject: Subject
    opens: str | None
    order_by: str | None
    closes: str | None
    paused_at: str | None
    stopped_at: str | None
    terms: dict[str, object]
    sentences: Terms


class PlainRating(TypedDict):
    """Rating with the points of its parts."""

    scorecard: str
    series: SeriesEnum
    period: str
    level: str
    score: str
    evaluated_at: str
    starts_at: str
    ends_at: str
    version: int
    parts: list[RatingPoints]


class Problem(TypedDict):
    """Error response (RFC 9457)."""

    type: str
    title: str
    status: int
    code: Literal[
        "authentication_failed",
        "before_opening",
        "beyond_key",
        "ended",
        "holder_cap",
        "idempotency_key_missing",
        "idempotency_key_reused",
        "in_progress",
        "insecure",
        "internal",
        "invalid",
        "key_ended",
        "made_with_key",
        "merchant_cap",
        "method_not_allowed",
        "no_allowance",
        "no_coupon",
        "not_acceptable",
        "not_authenticated",
        "not_collected",
        "not_found",
        "nothing_left",
        "parse_error",
        "quota_exhausted",
        "refused",
        "scope_missing",
        "step_done",
        "stopped",
        "throttled",
        "too_large",
        "unavailable",
        "unsupported_media_type",
        "webhook_disabled",
    ]
    detail: str
    errors: list[FieldError]


class Quota(TypedDict):
    limit: int | None
    used: int
    reserved: int
    left: int | None
    per_merchant: int | None
    bands: list[Band]
    as_of: str | None
    forecast: Forecast | None


class RatingItem(TypedDict):
    """Points of an item, and the reasons for them."""

    code: str
    name: str
    depth: int
    points: str
    before_limits: str
    at_most: str | None
    capped: bool
    unmet: list[str]
    found: str | None
    unit: str | None
    band: PointBand | None
    next_band: NextPointBand | None
    asked: str | None
    text: str


class UseRefusal(TypedDict):
    """Problem of a use that was refused, with the result."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]
    usage_no: str
    result: ResultEnum
    use: str
    used_at: str
    taken: int
    allowance: str | None
    period: str
    units: int | None
    used: int | None
    left: int | None
    until: str | None


class ClaimResult(TypedDict):
    """Result of a claim or quote."""

    id: str
    href: str
    subject: Subject
    key: str
    state: ClaimState
    outcome: ClaimOutcome
    decides_at: str | None
    answers: list[Explanation]


class NotCollected(TypedDict):
    """Problem of a request that collected nothing, with the allowance as it is now."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]
    allowance: Allowance


class RatingPart(TypedDict):
    """Part of a rating with its items, at any depth, each after the one that contains it."""

    code: str
    name: str
    depth: int
    points: str
    before_limits: str
    at_most: str | None
    capped: bool
    unmet: list[str]
    found: str | None
    unit: str | None
    band: PointBand | None
    next_band: NextPointBand | None
    asked: str | None
    text: str
    level: str | None
    items: list[RatingItem]


class Refusal(TypedDict):
    """Problem of a claim that got no benefit, with the result of the claim."""

    type: str
    title: str
    status: int
    code: Literal[
        "authentication_failed",
        "before_opening",
        "beyond_key",
        "ended",
        "holder_cap",
        "idempotency_key_missing",
        "idempotency_key_reused",
        "in_progress",
        "insecure",
        "internal",
        "invalid",
        "key_ended",
        "made_with_key",
        "merchant_cap",
        "method_not_allowed",
        "no_allowance",
        "no_coupon",
        "not_acceptable",
        "not_authenticated",
        "not_collected",
        "not_found",
        "nothing_left",
        "parse_error",
        "quota_exhausted",
        "refused",
        "scope_missing",
        "step_done",
        "stopped",
        "throttled",
        "too_large",
        "unavailable",
        "unsupported_media_type",
        "webhook_disabled",
    ]
    detail: str
    errors: list[FieldError]
    id: str
    href: str
    subject: Subject
    key: str
    state: ClaimState
    outcome: ClaimOutcome
    decides_at: str | None
    answers: list[Explanation]


class ExplainedRating(TypedDict):
    """Rating with each point explained, and what brings the next level, cheapest first."""

    scorecard: str
    series: SeriesEnum
    period: str
    level: str
    score: str
    evaluated_at: str
    starts_at: str
    ends_at: str
    version: int
    level_name: str
    parts: list[RatingPart]
    next_steps: list[RatingStep]


class MerchantRatings(TypedDict):
    """Ratings of a merchant by one scorecard."""

    scorecard: str
    name: str
    official: ExplainedRating | None
    predicted: ExplainedRating | None
    history: list[PlainRating]
