"""Files of facts about services; `docs/files.md` describes them."""

from buyers.import_schemas import ANY_BUYER
from imports.cell_parsers import currency, flag, instant, key, money, whole_number
from imports.columns import Column
from imports.registry import register
from imports.schema import Agreement, FileSchema
from merchants.import_schemas import MERCHANT
from services.models import ClaimRequest, ServiceOrder, Usage

ACCOUNT = Column("account_code", key(), to="account_id", required=True)
ANY_ACCOUNT = Column("account_code", key(), to="account_id")
ACCOUNT_OF_MERCHANT = Agreement("account_code", "merchant_id", "merchant_code")

SERVICE_ORDERS = FileSchema(
    "service_orders",
    ServiceOrder,
    (
        Column("order_no", key(), required=True),
        MERCHANT,
        ACCOUNT,
        Column("service", key(), required=True),
        Column("list_price", money(), required=True),
        Column("currency", currency(), required=True),
        Column("use_coupon", flag()),
        Column("placed_at", instant(), required=True),
        Column("paid_at", instant()),
        Column("delivered_at", instant()),
        Column("cancelled_at", instant()),
    ),
    key=("order_no",),
    imported={"use_coupon": "imported_use_coupon"},
    agreements=(ACCOUNT_OF_MERCHANT,),
)
CLAIM_REQUESTS = FileSchema(
    "claim_requests",
    ClaimRequest,
    (
        Column("request_no", key(), required=True),
        Column("offer", key(), required=True),
        MERCHANT,
        ACCOUNT,
        Column("requested_at", instant(), required=True),
    ),
    key=("request_no",),
    agreements=(ACCOUNT_OF_MERCHANT,),
)
USAGES = FileSchema(
    "usages",
    Usage,
    (
        Column("usage_no", key(), required=True),
        MERCHANT,
        ANY_ACCOUNT,
        Column("use", key(), required=True),
        Column("quantity", whole_number(least=1)),
        ANY_BUYER,
        Column("used_at", instant(), required=True),
        Column("cancelled_at", instant()),
    ),
    key=("usage_no",),
    agreements=(ACCOUNT_OF_MERCHANT,),
)
register(SERVICE_ORDERS, CLAIM_REQUESTS, USAGES)
