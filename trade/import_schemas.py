"""Files of facts about trade; `docs/files.md` describes them."""

from datetime import datetime

from django.utils.translation import gettext as _

from buyers.import_schemas import ANY_BUYER, BUYER
from catalog.import_schemas import LISTING
from imports.cell_parsers import choice, country, currency, flag, instant, key, money, whole_number
from imports.columns import Column
from imports.registry import register
from imports.schema import Agreement, Check, FileSchema, SplitEvents
from merchants.import_schemas import MERCHANT
from trade.models import BuyerPayment, FinancingDraw, OrderItem, Receipt, Review, TradeOrder


def _booked_or_cancelled(cancelled_at: datetime | None, booked_at: datetime | None) -> str | None:
    """Require one of the two: a cancellation may arrive before its booking, but a row with neither states nothing."""
    return None if booked_at or cancelled_at else _("is empty, and so is cancelled_at")


def _without_slash(listing_no: str) -> str | None:
    """Require that the key of an item can be split again at its last slash."""
    return _("holds a slash, which separates order and listing in the key of an item") if "/" in listing_no else None


ORDER = Column("order_no", key(), to="order_id", required=True)
LISTING_OF_ORDER = Agreement("listing_no", "merchant_id", "order_no", by="merchant_id")

TRADE_ORDERS = FileSchema(
    "trade_orders",
    TradeOrder,
    (
        Column("order_no", key(), required=True),
        MERCHANT,
        Column("account_code", key()),
        Column("product", choice(), required=True),
        Column("export_mode", choice()),
        Column("payment_product", choice()),
        Column("drafted_at", instant()),
        Column("buyer_confirmed_at", instant()),
        Column("amount_usd", money(), required=True),
        Column("is_rts", flag()),
        Column("category_l1", key()),
        Column("destination", country()),
        Column("oa_mode", choice()),
        Column("easy_return", flag()),
        Column("easy_return_premium_usd", money()),
        Column("service_fee_usd", money()),
        Column("shipped_at", instant()),
        Column("customs_cleared_at", instant()),
        Column("port_data_at", instant()),
        Column("completed_at", instant()),
        Column("cancelled_at", instant()),
        Column("abnormal_at", instant()),
        ANY_BUYER,
        Column("promised_ship_at", instant()),
        Column("disputed_at", instant()),
    ),
    key=("order_no",),
    row_kind="trade_order",
)
RECEIPTS = FileSchema(
    "receipts",
    Receipt,
    (
        Column("receipt_no", key(), required=True),
        ORDER,
        Column("kind", choice(), required=True),
        Column("amount_usd", money(), required=True),
        Column("booked_at", instant()),
        Column("cancelled_at", instant()),
    ),
    key=("receipt_no",),
    checks=(Check(("cancelled_at", "booked_at"), _booked_or_cancelled),),
    split_events=SplitEvents(first="booked_at", later="cancelled_at", flag="cancelled_alone"),
)
FINANCING_DRAWS = FileSchema(
    "financing_draws",
    FinancingDraw,
    (
        Column("draw_no", key(), required=True),
        MERCHANT,
        Column("product", choice(), required=True),
        Column("drawn_at", instant(), required=True),
        Column("fee", money(), required=True),
        Column("currency", currency(), required=True),
    ),
    key=("draw_no",),
)
ORDER_ITEMS = FileSchema(
    "order_items",
    OrderItem,
    (
        ORDER,
        LISTING,
        Column("quantity", whole_number(), required=True),
        Column("amount_usd", money(), required=True),
    ),
    key=("order_no", "listing_no"),
    joined_key="item_no",
    checks=(Check(("listing_no",), _without_slash),),
    agreements=(LISTING_OF_ORDER,),
)
REVIEWS = FileSchema(
    "reviews",
    Review,
    (
        Column("review_no", key(), required=True),
        ORDER,
        LISTING,
        BUYER,
        Column("stars", whole_number(least=1, most=5), required=True),
        Column("quality_stars", whole_number(least=1, most=5), required=True),
        Column("reviewed_at", instant(), required=True),
    ),
    key=("review_no",),
    agreements=(LISTING_OF_ORDER,),
)
BUYER_PAYMENTS = FileSchema(
    "buyer_payments",
    BuyerPayment,
    (
        Column("payment_no", key(), required=True),
        BUYER,
        ORDER,
        Column("product", choice(), required=True),
        Column("amount_usd", money(), required=True),
        Column("paid_at", instant(), required=True),
    ),
    key=("payment_no",),
    agreements=(Agreement("order_no", "buyer_id", "buyer_code"),),
)
register(TRADE_ORDERS, RECEIPTS, FINANCING_DRAWS, ORDER_ITEMS, REVIEWS, BUYER_PAYMENTS)
