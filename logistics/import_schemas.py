"""Files of facts about freight; `docs/files.md` describes them."""

from imports.cell_parsers import choice, currency, flag, instant, key, money, whole_number
from imports.columns import Column
from imports.registry import register
from imports.schema import FileSchema
from logistics.models import FreightOrder, FreightTemplate
from merchants.import_schemas import MERCHANT

FREIGHT_ORDERS = FileSchema(
    "freight_orders",
    FreightOrder,
    (
        Column("order_no", key(), required=True),
        MERCHANT,
        Column("account_code", key()),
        Column("service", choice(), required=True),
        Column("line", key(), required=True),
        Column("base_freight", money(), required=True),
        Column("currency", currency(), required=True),
        Column("promo_flag", flag()),
        Column("use_coupon", flag()),
        Column("placed_at", instant()),
        Column("paid_at", instant()),
        Column("shipped_at", instant()),
        Column("departed_at", instant()),
        Column("cancelled_at", instant()),
    ),
    key=("order_no",),
    imported={"use_coupon": "imported_use_coupon"},
)
FREIGHT_TEMPLATES = FileSchema(
    "freight_templates",
    FreightTemplate,
    (
        MERCHANT,
        Column("line", key(), required=True),
        Column("configured_at", instant(), required=True),
        Column("rts_products", whole_number()),
    ),
    key=("merchant_code", "line", "configured_at"),
)
register(FREIGHT_ORDERS, FREIGHT_TEMPLATES)
