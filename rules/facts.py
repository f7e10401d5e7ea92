"""The facts a definition may name: each once, with its type, its name in plain words, and where it is found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F, Min, OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logistics.models import FreightOrder, FreightTemplate
from merchants.models import Membership, Merchant, Penalty, ServicePackage
from trade.models import FinancingDraw, Receipt, TradeOrder

Label = str | Promise


@dataclass(frozen=True)
class Fact:
    """One thing known of a row: `kind` is choice, text, number, money, flag or instant."""

    name: str
    kind: str
    label: Label
    choices: tuple[tuple[str, Label], ...] = ()
    currency: str = ""


@dataclass(frozen=True)
class Collection:
    """Rows of one table that belong to merchants: what is counted, or what a benefit is given for."""

    name: str
    model: type[models.Model]
    label: Label
    singular: Label
    key: str
    facts: dict[str, Fact]

    @property
    def merchant(self) -> str:
        """The path from a row to its merchant's code."""
        return "code" if self.model is Merchant else "merchant_id"


@dataclass(frozen=True)
class State:
    """Something in force for a merchant during an interval, and the column that tells which."""

    name: str
    model: type[models.Model]
    column: str
    label: Label
    choices: tuple[tuple[str, Label], ...]


KINDS = {
    models.DateTimeField: "instant",
    models.DecimalField: "money",
    models.BooleanField: "flag",
    models.PositiveIntegerField: "number",
}


def _facts(model: type[models.Model], names: str, prefix: str = "") -> Iterator[Fact]:
    """Facts that are columns of `model`, described as the model does."""
    for name in names.split():
        field = model._meta.get_field(name)
        assert isinstance(field, models.Field)
        choices = tuple((str(value), label) for value, label in field.flatchoices if value)
        kind = next((kind for column, kind in KINDS.items() if isinstance(field, column)), "text")
        label = field.verbose_name or name
        yield Fact(prefix + name, "choice" if choices else kind, label, choices, "USD" if name.endswith("_usd") else "")


OF_MERCHANT = tuple(_facts(Merchant, "country category_l1 category_l2 logistics_partner", "merchant."))

# Derived facts: their expressions stand in DERIVED below.
FIRST_PAYMENT = Fact("first_payment_at", "instant", _("first payment booked at"))


def _collection(
    model: type[models.Model], name: str, label: Label, singular: Label, names: str, *more: Fact
) -> Collection:
    key = model._meta.pk.attname if model._meta.pk else "pk"
    facts = {fact.name: fact for fact in (*_facts(model, names), *more)}
    return Collection(name, model, label, singular, key, facts)


COLLECTIONS = {
    collection.name: collection
    for collection in (
        _collection(
            FreightOrder,
            "freight_orders",
            _("freight orders"),
            _("freight order"),
            "service line base_freight currency promo_flag use_coupon "
            "placed_at paid_at shipped_at departed_at cancelled_at",
            *OF_MERCHANT,
        ),
        _collection(
            TradeOrder,
            "trade_orders",
            _("trade orders"),
            _("trade order"),
            "product export_mode payment_product drafted_at buyer_confirmed_at amount_usd is_rts category_l1 "
            "destination oa_mode easy_return easy_return_premium_usd service_fee_usd shipped_at customs_cleared_at "
            "port_data_at completed_at cancelled_at abnormal_at",
            FIRST_PAYMENT,
            *OF_MERCHANT,
        ),
        _collection(
            FinancingDraw,
            "financing_draws",
            _("financing draws"),
            _("financing draw"),
            "product drawn_at fee currency",
            *OF_MERCHANT,
        ),
        _collection(Merchant, "merchants", _("merchants"), _("merchant"), "", *OF_MERCHANT),
        _collection(
            FreightTemplate,
            "freight_templates",
            _("freight templates"),
            _("freight template"),
            "line configured_at rts_products",
        ),
    )
}

# What a benefit may be given for, by the word a definition uses.
SUBJECTS = {
    "freight_order": COLLECTIONS["freight_orders"],
    "trade_order": COLLECTIONS["trade_orders"],
    "financing_draw": COLLECTIONS["financing_draws"],
    "merchant": COLLECTIONS["merchants"],
}


def _state(name: str, model: type[models.Model], column: str, label: Label) -> State:
    field = model._meta.get_field(column)
    assert isinstance(field, models.Field)
    return State(name, model, column, label, tuple((str(v), text) for v, text in field.flatchoices))


STATES = {
    state.name: state
    for state in (
        _state("membership", Membership, "plan", _("membership")),
        _state("service_package", ServicePackage, "package", _("service package")),
        _state("penalty", Penalty, "kind", _("penalty")),
    )
}


def _first_payment() -> Combinable:
    """The earliest booked receipt of kind `first`, also when it was cancelled later (programs.md, section 7)."""
    firsts = Receipt.objects.filter(order=OuterRef("pk"), kind=Receipt.Kind.FIRST).order_by().values("order")
    return Subquery(firsts.annotate(at=Min("booked_at")).values("at"))


DERIVED = {"first_payment_at": _first_payment}


def expression(collection: Collection, name: str) -> Any:
    """Where fact `name` of a row of `collection` is found, as an ORM expression. Raises KeyError when unknown."""
    fact = collection.facts[name]
    if fact.name in DERIVED:
        return DERIVED[fact.name]()
    path = fact.name.replace(".", "__")
    return F(path.removeprefix("merchant__") if collection.model is Merchant else path)
