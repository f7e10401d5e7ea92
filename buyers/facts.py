"""Facts about buyers, with their level at an instant, and about what they do at merchants."""

from typing import Any

from django.db.models import Case, F, IntegerField, OuterRef, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from buyers.models import Buyer, BuyerAction, BuyerLevel
from catalog.facts import OF_LISTING
from core.column_facts import column_facts
from core.db.derived_value import DerivedValue, outer
from core.facts import Child, Collection, Derived, Fact, Reference, by_name, register
from merchants.facts import OF_MERCHANT


def _level(key: str, at: Any) -> Any:
    """Return the latest level from an instant up to `at`, 0 for a buyer without any, NULL without a buyer."""
    levels = BuyerLevel.objects.filter(buyer=OuterRef(key), from_at__lte=outer(at)).order_by("-from_at")
    level = Coalesce(DerivedValue(levels.values("level")[:1], output_field=IntegerField()), Value(0))
    return Case(When(IsNull(F(key), False), then=level), output_field=IntegerField())


LEVELS = Child(BuyerLevel, parent="buyer_id")
BUYERS = Collection(
    name="buyers",
    model=Buyer,
    label=_("buyers"),
    singular=_("buyer"),
    merchant="",
    facts=by_name(
        [Fact("code", "text", _("code"))],
        column_facts(
            Buyer,
            "country registered_at closed_at",
            events={"registered_at": _("registered"), "closed_at": _("account closed")},
            codes={"country": "country"},
        ),
        [Fact("level", "number", _("level"), derived=Derived(_level, LEVELS))],
    ),
    children=(LEVELS,),
    holders={"buyer": "pk"},
    row_kind="buyer",
)
OF_BUYER = Reference("buyer", "buyer_id", BUYERS)
BUYER_ACTIONS = Collection(
    name="buyer_actions",
    model=BuyerAction,
    label=_("buyer actions"),
    singular=_("buyer action"),
    facts=by_name(column_facts(BuyerAction, "kind at source", events={"at": _("done")}), OF_MERCHANT),
    references=(OF_BUYER, OF_LISTING),
    holders={"buyer": "buyer_id", "listing": "listing_id"},
)

register(BUYERS, BUYER_ACTIONS)
