"""Files of facts about buyers; `docs/files.md` describes them."""

from buyers.models import Buyer, BuyerAction, BuyerLevel
from catalog.import_schemas import ANY_LISTING, LISTING_OF_MERCHANT
from imports.cell_parsers import choice, country, instant, key, whole_number
from imports.columns import Column
from imports.registry import register
from imports.schema import FileSchema
from merchants.import_schemas import MERCHANT

BUYER = Column("buyer_code", key(), to="buyer_id", required=True)
ANY_BUYER = Column("buyer_code", key(), to="buyer_id")

BUYERS = FileSchema(
    "buyers",
    Buyer,
    (
        Column("buyer_code", key(), to="code", required=True),
        Column("country", country(), required=True),
        Column("registered_at", instant(), required=True),
        Column("closed_at", instant()),
    ),
    key=("buyer_code",),
    row_kind="buyer",
)
BUYER_LEVELS = FileSchema(
    "buyer_levels",
    BuyerLevel,
    (
        BUYER,
        Column("from_at", instant(), required=True),
        Column("level", whole_number(most=BuyerLevel.HIGHEST), required=True),
    ),
    key=("buyer_code", "from_at"),
)
BUYER_ACTIONS = FileSchema(
    "buyer_actions",
    BuyerAction,
    (
        Column("action_no", key(), required=True),
        BUYER,
        MERCHANT,
        ANY_LISTING,
        Column("kind", choice(), required=True),
        Column("at", instant(), required=True),
        Column("source", key(), required=True),
    ),
    key=("action_no",),
    agreements=(LISTING_OF_MERCHANT,),
)
register(BUYERS, BUYER_LEVELS, BUYER_ACTIONS)
