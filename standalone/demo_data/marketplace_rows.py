"""Rows of the fact files about buyers, the catalog, services and compliance."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standalone.demo_data.csv_rows import Row


@dataclass(slots=True, kw_only=True)
class Buyer(Row):
    buyer_code: str
    country: str
    registered_at: datetime
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class BuyerLevel(Row):
    buyer_code: str
    from_at: datetime
    level: int


@dataclass(slots=True, kw_only=True)
class BuyerAction(Row):
    action_no: str
    buyer_code: str
    merchant_code: str
    listing_no: str
    kind: str
    at: datetime
    source: str


@dataclass(slots=True, kw_only=True)
class CartonSpec(Row):
    carton_no: str
    merchant_code: str
    name: str
    length_cm: Decimal
    width_cm: Decimal
    height_cm: Decimal
    empty_weight_kg: Decimal
    units: int


@dataclass(slots=True, kw_only=True)
class Listing(Row):
    listing_no: str
    merchant_code: str
    title: str
    category: str
    is_rts: bool
    customizable: bool
    local_service: bool
    country_pricing: bool
    published_at: datetime
    removed_at: datetime | None = None
    growth_score: Decimal | None
    images: int
    has_video: bool
    attributes_filled: int
    moq: int | None
    sku_count: int
    lead_time_days: int | None
    description_chars: int
    carton_no: str = ""


@dataclass(slots=True, kw_only=True)
class PriceTier(Row):
    listing_no: str
    mode: str
    min_quantity: int
    unit_price_usd: Decimal


@dataclass(slots=True, kw_only=True)
class StoreDiscount(Row):
    discount_no: str
    merchant_code: str
    listing_no: str
    percent: int
    stock: int
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class OrderItem(Row):
    order_no: str
    listing_no: str
    quantity: int
    amount_usd: Decimal


@dataclass(slots=True, kw_only=True)
class Review(Row):
    review_no: str
    order_no: str
    listing_no: str
    buyer_code: str
    stars: int
    quality_stars: int
    reviewed_at: datetime


@dataclass(slots=True, kw_only=True)
class BuyerPayment(Row):
    payment_no: str
    buyer_code: str
    order_no: str
    product: str
    amount_usd: Decimal
    paid_at: datetime


@dataclass(slots=True, kw_only=True)
class Credential(Row):
    credential_no: str
    merchant_code: str
    kind: str
    verified_at: datetime
    ends_at: datetime | None = None
    amount_usd: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class ServiceOrder(Row):
    order_no: str
    merchant_code: str
    account_code: str
    service: str
    list_price: Decimal
    currency: str
    use_coupon: bool
    placed_at: datetime
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ClaimRequest(Row):
    request_no: str
    offer: str
    merchant_code: str
    account_code: str
    requested_at: datetime


@dataclass(slots=True, kw_only=True)
class Usage(Row):
    usage_no: str
    merchant_code: str
    account_code: str
    use: str
    quantity: int | None
    buyer_code: str
    used_at: datetime
    cancelled_at: datetime | None = None


FILES: dict[type[Row], str] = {
    Buyer: "buyers",
    BuyerLevel: "buyer_levels",
    BuyerAction: "buyer_actions",
    CartonSpec: "carton_specs",
    Listing: "listings",
    PriceTier: "price_tiers",
    StoreDiscount: "store_discounts",
    OrderItem: "order_items",
    Review: "reviews",
    BuyerPayment: "buyer_payments",
    Credential: "credentials",
    ServiceOrder: "service_orders",
    ClaimRequest: "claim_requests",
    Usage: "usages",
}
