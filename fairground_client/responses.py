"""Types of the responses, as in the OpenAPI schema. Instants are ISO 8601 text in UTC, money is decimal text."""

from typing import TypedDict


class Campaign(TypedDict):
    code: str
    name_en: str
    name_zh: str


class Terms(TypedDict):
    benefit: str
    claim: str
    conditions: list[str]
    quota: str
    settlement: list[str]


class Offer(TypedDict):
    code: str
    campaign: str
    name: str
    version: int
    subject: str
    opens: str | None
    order_by: str | None
    closes: str | None
    paused_at: str | None
    stopped_at: str | None


class OfferDetail(Offer):
    terms: dict[str, object]
    sentences: Terms


class Forecast(TypedDict):
    soonest: str
    likely: str
    latest: str | None
    taken: int
    since: str


class Quota(TypedDict):
    limit: int | None
    used: int
    reserved: int
    left: int | None
    per_merchant: int | None
    as_of: str | None
    forecast: Forecast | None


class HistoryPoint(TypedDict):
    at: str
    taken: int
    total: int


class StatementLine(TypedDict):
    offer: str
    merchant: str
    currency: str
    settled: str
    reversed: str
    redeemed: str
    returned: str
    total: str


class Merchant(TypedDict):
    code: str
    href: str
    name: str
    name_en: str
    country: str
    category_l1: str
    category_l2: str
    logistics_partner: bool


class Fact(TypedDict):
    kind: str
    fact: dict[str, str | int | bool | None]


class ConditionResult(TypedDict):
    name: str
    held: bool
    operator: str
    required: str | int | bool | list[str] | dict[str, str] | None
    actual: str | int | bool | None
    shortfall: str | int | None
    unit: str | None
    required_text: str
    actual_text: str
    shortfall_text: str


class Benefit(TypedDict):
    offer: str
    state: str
    reasons: list[ConditionResult]
    asks: list[str]
    progress: ConditionResult | None
    left: int | None
    own_left: int | None


class Grant(TypedDict):
    id: int
    href: str
    offer: str
    subject: str
    merchant: str
    status: str
    amount: str
    currency: str
    claimed_at: str
    ended_at: str | None


class Coupon(TypedDict):
    code: str
    href: str
    offer: str
    merchant: str
    status: str
    value: str
    face_value: str
    currency: str
    valid_from: str
    valid_until: str
    order_no: str | None


class Explanation(TypedDict):
    offer: str
    version: int
    outcome: str
    status: str
    claimed_at: str | None
    decides_at: str | None
    place: int | None
    amount: str | None
    currency: str
    conditions: list[ConditionResult]
    quarantined_since: str | None


class Decision(Explanation):
    subject: str


class ClaimResult(TypedDict):
    id: str
    href: str
    subject: str
    key: str
    state: str
    outcome: str
    decides_at: str | None
    answers: list[Explanation]


class ImportResult(TypedDict):
    rows: int
    added: int
    changed: int
    unchanged: int
    future: int
