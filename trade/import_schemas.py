"""Files of facts about trade; `docs/files.md` describes them."""

from datetime import datetime

from django.utils.translation import gettext as _

from imports.cell_parsers import choice, country, currency, flag, instant, key, money
from imports.columns import Column
from imports.registry import register
from imports.schema import Check, FileSchema, SplitEvents
from merchants.import_schemas import MERCHANT
from trade.models import FinancingDraw, Receipt, TradeOrder


def _booked_or_cancelled(cancelled_at: datetime | None, booked_at: datetime | None) -> str | None:
    """Require one of the two: a cancellation may arrive before its booking, but a row with neither states nothing."""
    return None if booked_at or cancelled_at else _("is empty, and so is cancelled_at")


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
    ),
    key=("order_no",),
)
RECEIPTS = FileSchema(
    "receipts",
    Receipt,
    (
        Column("receipt_no", key(), required=True),
        Column("order_no", key(), to="order_id", required=True),
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
register(TRADE_ORDERS, RECEIPTS, FINANCING_DRAWS)
