"""Facts about the catalog: listings, their cartons and price tiers, and the discounts that merchants set themselves."""

from typing import Any

from django.db.models import Case, CharField, Count, F, IntegerField, OuterRef, Value, When
from django.db.models.functions import Coalesce, Left, Length, StrIndex
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from catalog.models import CartonSpec, Listing, PriceTier, StoreDiscount
from core.column_facts import column_facts
from core.db.derived_value import DerivedValue
from core.facts import Child, Collection, Derived, Fact, Reference, by_name, register
from merchants.categories import CATEGORIES
from merchants.facts import OF_MERCHANT

SEPARATOR = ">"
"""Between the parts of the path of a category."""


def _column(key: str, name: str) -> F:
    """Return a column of a listing, `key` being the path to its key."""
    return F(name if key == "pk" else f"{key.removesuffix('_id')}__{name}")


def _first_level(key: str, _at: Any) -> Any:
    """Return the part of the category before the first separator."""
    category = _column(key, "category")
    end = StrIndex(category, Value(SEPARATOR))
    first = When(GreaterThan(end, 0), then=Left(category, end - 1))
    return Case(first, default=category, output_field=CharField())


def _title_length(key: str, _at: Any) -> Any:
    return Length(_column(key, "title"))


def _number_of_tiers(key: str, _at: Any) -> Any:
    tiers = PriceTier.objects.filter(listing=OuterRef(key)).order_by().values("listing")
    counted = DerivedValue(tiers.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    return Coalesce(counted, Value(0))


PRICE_TIERS_OF_LISTING = Child(PriceTier, parent="listing_id")
DERIVED = (
    Fact("category_l1", "text", _("first-level category"), derived=Derived(_first_level), names=CATEGORIES),
    Fact("title_chars", "number", _("characters of the title"), derived=Derived(_title_length)),
    Fact(
        "price_tiers", "number", _("number of price tiers"), derived=Derived(_number_of_tiers, PRICE_TIERS_OF_LISTING)
    ),
)
CARTON_SPECS = Collection(
    name="carton_specs",
    model=CartonSpec,
    label=_("cartons"),
    singular=_("carton"),
    facts=by_name(column_facts(CartonSpec, "name length_cm width_cm height_cm empty_weight_kg units"), OF_MERCHANT),
)
LISTINGS = Collection(
    name="listings",
    model=Listing,
    label=_("listings"),
    singular=_("listing"),
    subject="listing",
    facts=by_name(
        column_facts(
            Listing,
            "listing_no title category is_rts customizable local_service country_pricing published_at removed_at "
            "growth_score images has_video attributes_filled moq sku_count lead_time_days description_chars",
            events={"published_at": _("published"), "removed_at": _("removed")},
            due={"published_at": _("publish the listing")},
        ),
        DERIVED,
        OF_MERCHANT,
    ),
    children=(PRICE_TIERS_OF_LISTING,),
    references=(Reference("carton", "carton_id", CARTON_SPECS),),
    holders={"listing": "pk"},
    row_kind="listing",
)
OF_LISTING = Reference("listing", "listing_id", LISTINGS)
PRICE_TIERS = Collection(
    name="price_tiers",
    model=PriceTier,
    label=_("price tiers"),
    singular=_("price tier"),
    merchant="listing__merchant_id",
    facts=by_name(column_facts(PriceTier, "mode min_quantity unit_price_usd"), OF_MERCHANT),
    references=(OF_LISTING,),
    holders={"listing": "listing_id"},
)
STORE_DISCOUNTS = Collection(
    name="store_discounts",
    model=StoreDiscount,
    label=_("store discounts"),
    singular=_("store discount"),
    facts=by_name(
        column_facts(
            StoreDiscount,
            "percent stock starts_at ends_at",
            events={"starts_at": _("started"), "ends_at": _("ended")},
        ),
        OF_MERCHANT,
    ),
    references=(OF_LISTING,),
    holders={"listing": "listing_id"},
)

register(CARTON_SPECS, LISTINGS, PRICE_TIERS, STORE_DISCOUNTS)
