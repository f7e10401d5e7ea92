"""Files of facts about the catalog; `docs/files.md` describes them."""

from catalog.models import CartonSpec, Listing, PriceTier, StoreDiscount
from imports.cell_parsers import choice, flag, instant, key, money, number, path, text, whole_number
from imports.columns import Column
from imports.registry import register
from imports.schema import Agreement, FileSchema
from merchants.import_schemas import MERCHANT

LISTING = Column("listing_no", key(), to="listing_id", required=True)
ANY_LISTING = Column("listing_no", key(), to="listing_id")
LISTING_OF_MERCHANT = Agreement("listing_no", "merchant_id", "merchant_code")

CARTON_SPECS = FileSchema(
    "carton_specs",
    CartonSpec,
    (
        Column("carton_no", key(), required=True),
        MERCHANT,
        Column("name", text(), required=True),
        Column("length_cm", number(), required=True),
        Column("width_cm", number(), required=True),
        Column("height_cm", number(), required=True),
        Column("empty_weight_kg", number(), required=True),
        Column("units", whole_number(least=1), required=True),
    ),
    key=("carton_no",),
)
LISTINGS = FileSchema(
    "listings",
    Listing,
    (
        Column("listing_no", key(), required=True),
        MERCHANT,
        Column("title", text(), required=True),
        Column("category", path(), required=True),
        Column("is_rts", flag()),
        Column("customizable", flag()),
        Column("local_service", flag()),
        Column("country_pricing", flag()),
        Column("published_at", instant(), required=True),
        Column("removed_at", instant()),
        Column("growth_score", number(most="100")),
        Column("images", whole_number()),
        Column("has_video", flag()),
        Column("attributes_filled", whole_number(most=100)),
        Column("moq", whole_number()),
        Column("sku_count", whole_number()),
        Column("lead_time_days", whole_number()),
        Column("description_chars", whole_number()),
        Column("carton_no", key(), to="carton_id"),
    ),
    key=("listing_no",),
    agreements=(Agreement("carton_no", "merchant_id", "merchant_code"),),
    row_kind="listing",
)
PRICE_TIERS = FileSchema(
    "price_tiers",
    PriceTier,
    (
        LISTING,
        Column("mode", choice(), required=True),
        Column("min_quantity", whole_number(least=1), required=True),
        Column("unit_price_usd", money(), required=True),
    ),
    key=("listing_no", "mode", "min_quantity"),
)
STORE_DISCOUNTS = FileSchema(
    "store_discounts",
    StoreDiscount,
    (
        Column("discount_no", key(), required=True),
        MERCHANT,
        LISTING,
        Column("percent", number(most="99", above=True), required=True),
        Column("stock", whole_number(least=1), required=True),
        Column("starts_at", instant(), required=True),
        Column("ends_at", instant()),
    ),
    key=("discount_no",),
    agreements=(LISTING_OF_MERCHANT,),
)
register(CARTON_SPECS, LISTINGS, PRICE_TIERS, STORE_DISCOUNTS)
