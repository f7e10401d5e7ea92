"""One class for each fact file. Its fields, in order, are the columns."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cache


def money(amount: float) -> Decimal:
    """Round to cents; the result always has two decimals."""
    return Decimal(round(amount * 100)).scaleb(-2)


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of a fact file."""

    @classmethod
    @cache
    def columns(cls) -> list[str]:
        """Return the names of the columns in the order of the file."""
        return [field.name for field in fields(cls)]

    def cells(self) -> list[str]:
        """Return the cells as text: empty for None, 1 and 0 for booleans, ISO 8601 for instants."""
        return [_text(getattr(self, name)) for name in self.columns()]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


@dataclass(slots=True, kw_only=True)
class Merchant(Row):
    merchant_code: str
    name: str
    name_en: str
    country: str
    category_l1: str
    category_l2: str
    logistics_partner: bool


@dataclass(slots=True, kw_only=True)
class Account(Row):
    account_code: str
    merchant_code: str
    role: str


@dataclass(slots=True, kw_only=True)
class Membership(Row):
    merchant_code: str
    plan: str
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ServicePackage(Row):
    merchant_code: str
    package: str
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Penalty(Row):
    merchant_code: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    reason: str


@dataclass(slots=True, kw_only=True)
class ReferenceValue(Row):
    list_code: str
    value: str


@dataclass(slots=True, kw_only=True)
class TradeOrder(Row):
    order_no: str
    merchant_code: str
    account_code: str
    product: str
    export_mode: str
    payment_product: str
    drafted_at: datetime
    buyer_confirmed_at: datetime | None = None
    amount_usd: Decimal
    is_rts: bool
    category_l1: str
    destination: str
    oa_mode: str
    easy_return: bool
    easy_return_premium_usd: Decimal | None
    service_fee_usd: Decimal
    shipped_at: datetime | None = None
    customs_cleared_at: datetime | None = None
    port_data_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    abnormal_at: datetime | None = None
    buyer_code: str = ""
    promised_ship_at: datetime | None = None
    disputed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Receipt(Row):
    receipt_no: str
    order_no: str
    kind: str
    amount_usd: Decimal
    booked_at: datetime
    cancelled_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class FinancingDraw(Row):
    draw_no: str
    merchant_code: str
    product: str
    drawn_at: datetime
    fee: Decimal
    currency: str


@dataclass(slots=True, kw_only=True)
class FreightOrder(Row):
    order_no: str
    merchant_code: str
    account_code: str
    service: str
    line: str
    base_freight: Decimal
    currency: str
    promo_flag: bool
    use_coupon: bool
    placed_at: datetime
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    departed_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class FreightTemplate(Row):
    merchant_code: str
    line: str
    configured_at: datetime
    rts_products: int


FILES: dict[type[Row], str] = {
    Merchant: "merchants",
    Account: "accounts",
    Membership: "memberships",
    ServicePackage: "service_packages",
    Penalty: "penalties",
    ReferenceValue: "reference_lists",
    TradeOrder: "trade_orders",
    Receipt: "receipts",
    FinancingDraw: "financing_draws",
    FreightOrder: "freight_orders",
    FreightTemplate: "freight_templates",
}
