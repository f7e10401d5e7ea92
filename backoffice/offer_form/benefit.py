"""Benefit of an offer as a form: a card for each kind, and its values."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.benefit_parts import SliceFormSet, TierFormSet, initial_slice, initial_tier
from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.known_values import ValueCatalogue
from backoffice.offer_form.times import TimeForm, initial_time
from core.facts import COUPON_FEES, FEES, Collection
from definitions.benefits.coupons import DEFAULT_ORDERS
from logistics.facts import FREIGHT_ORDERS
from rules.operators import AMOUNTS

KINDS: dict[str, tuple[Any, Any]] = {
    "percent": (_("Percent off"), _("of one fee")),
    "amount": (_("Amount off"), _("a fixed amount of one fee")),
    "price": (_("Fixed price"), _("the fee is reduced to an amount")),
    "tiers": (_("Tiers"), _("more off for a higher fee")),
    "slices": (_("Slices"), _("each part of the fee at its own rate")),
    "coupons": (_("Coupons"), _("to spend later on an order")),
}
REDUCTIONS = ("percent", "amount", "price", "tiers", "slices")
ALONG = {"tiers": "by", "slices": "after"}
"""The word of a measure that selects a tier, or after which the slices are counted."""
MAIN_CURRENCIES = ("CNY", "USD", "EUR")


class BenefitForm(SectionForm):
    """Kind of the benefit and its values."""

    form = SelectField(
        label=_("Kind of benefit"),
        required=False,
        widget=forms.RadioSelect(choices=[(kind, name) for kind, (name, _note) in KINDS.items()]),
    )
    fee = SelectField(label=_("Fee that is reduced"), required=False)
    rate = NumberField(label=_("Rate of the fee"), required=False)
    percent = NumberField(label=_("Discount"), required=False)
    amount = NumberField(label=_("Amount off"), required=False)
    fact = SelectField(label=_("Value"), required=False)
    price = NumberField(label=_("Price"), required=False)
    at_most = NumberField(label=_("At most (optional)"), required=False)
    measure = SelectField(label=_("Along"), required=False)
    of = SelectField(label=_("Rebate of"), required=False)
    count = NumberField(label=_("Number of coupons"), required=False, whole=True, least=1)
    orders = SelectField(label=_("For orders of the kind"), required=False)
    sets = SelectField(label=_("Each coupon"), required=False)
    value = NumberField(label=_("Value of each coupon"), required=False)
    currency = SelectField(label=_("Currency"), required=False)
    empty_texts = {
        "fee": _("Choose a fee."),
        "rate": _("Enter a number."),
        "percent": _("Enter a number."),
        "amount": _("Enter an amount, for example 30.00."),
        "price": _("Enter an amount, for example 30.00."),
        "count": _("Enter a number."),
        "value": _("Enter an amount, for example 30.00."),
        "currency": _("Choose a currency."),
        "of": _("Choose a measure."),
    }
    units = {"percent": "%", "rate": "%"}

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        own = ((name, fee) for name, fee in FEES.items() if fee.subject == collection.subject)
        fees: Choices = [(name, capfirst(str(fee.label))) for name, fee in own]
        known = ValueCatalogue().of_fact(FREIGHT_ORDERS.facts["currency"], FREIGHT_ORDERS).names
        ordered = [*((code, known[code]) for code in MAIN_CURRENCIES), *known.items()]
        optional: Choices = [("", "–")]
        numbers = (fact for fact in collection.facts.values() if fact.kind in AMOUNTS)
        facts: Choices = [(fact.name, capfirst(str(fact.label))) for fact in numbers]
        self.set_choices("fee", [*optional, *fees])
        self.set_choices("currency", [*optional, *dict(ordered).items()])
        kinds = ((kind, capfirst(str(fee.collection.singular))) for kind, fee in COUPON_FEES.items())
        self.set_choices("orders", kinds)
        self.set_choices("sets", [("value", _("takes a value off")), ("price", _("sets the price"))])
        self.set_choices("fact", [("", _("the number below")), *facts])
        self.set_choices("measure", [("", _("the fee")), *self.campaign.measures.items()])
        self.set_choices("of", [("", "–"), *self.campaign.measures.items()])
        data = self.data if self.is_bound else None
        ends = (("from", _("Valid from (empty: from the claim)"), False), ("to", _("Valid until"), True))
        for name, label, is_end in ends:
            self.parts[name] = TimeForm(
                data,
                prefix=f"{self.prefix}-{name}",
                campaign=self.campaign,
                label=label,
                is_end=is_end,
                optional=not is_end,
                initial=self.initial.get(name),
            )
        tiers, where = self.initial.get("tiers") or [], self.initial.get("where") or []
        kwargs = {"campaign": self.campaign}
        self.tiers = TierFormSet(data, prefix="tiers", initial=list(map(initial_tier, tiers)), form_kwargs=kwargs)
        slices = list(map(initial_slice, self.initial.get("slices") or []))
        self.slices = SliceFormSet(data, prefix="slices", initial=slices, form_kwargs=kwargs)
        orders = self.campaign.rows(COUPON_FEES[self.order_kind].collection)
        self.where = condition_formset("coupons", data, where, campaign=self.campaign, collection=orders, simple=True)
        self.parts |= {"tiers": self.tiers, "slices": self.slices, "where": self.where}

    @property
    def benefit_form(self) -> str:
        """Return the chosen kind: a word of a discount, or coupons."""
        return self.text_of("form") or "percent"

    @property
    def order_kind(self) -> str:
        """Return the kind of order that coupons are for."""
        return kind if (kind := self.text_of("orders")) in COUPON_FEES else DEFAULT_ORDERS

    @property
    def times(self) -> list[Any]:
        """Return the dates of coupons."""
        return [self.parts[name] for name in ("from", "to") if name in self.visible_parts()]

    @property
    def shows_tiers(self) -> bool:
        return self.benefit_form == "tiers"

    @property
    def shows_slices(self) -> bool:
        return self.benefit_form == "slices"

    def cards(self) -> list[dict[str, Any]]:
        """Return the kinds of benefit as choice cards."""
        chosen = self.benefit_form
        return [
            {"value": kind, "name": name, "note": note, "checked": kind == chosen, "field": self["form"].html_name}
            for kind, (name, note) in KINDS.items()
        ]

    def visible_names(self) -> list[str]:
        if self.benefit_form == "coupons":
            return ["form", "orders", "count", "sets", self._sets, "currency"]
        fee = FEES.get(self.text_of("fee"))
        rate = ["rate"] if (fee and fee.rated) or self.initial.get("rate") else []
        rate += ["of"] if fee and fee.measured else []
        return ["form", "fee", *rate, *self._stated(), *self._cap(), *self._currency(fee)]

    @property
    def _sets(self) -> str:
        """Return the word of the amount on a coupon: its value, or a price."""
        return "price" if self.text_of("sets") == "price" else "value"

    def _stated(self) -> list[str]:
        """Return the fields of the value: its number, or the fact that holds it."""
        kind = self.benefit_form
        source = ["fact"] if kind in ("percent", "amount") else []
        own = [kind] if kind in ("percent", "amount", "price") and not (source and self.text_of("fact")) else []
        along = ["measure"] if kind in ALONG and self.campaign.measures else []
        return [*source, *own, *along]

    def _cap(self) -> list[str]:
        """Return the field of the cap: a fixed amount takes none."""
        return [] if self.benefit_form == "amount" and not self.text_of("fact") else ["at_most"]

    def _currency(self, fee: Any) -> list[str]:
        """Return the field of the currency unless the fee is always in one, which the offer need not repeat."""
        return ["currency"] if not (fee and fee.currency) or self.initial.get("currency") else []

    def visible_parts(self) -> list[str]:
        parts = {"tiers": ["tiers"], "slices": ["slices"], "coupons": ["from", "to", "where"]}
        return parts.get(self.benefit_form, [])

    def may_be_empty(self, name: str) -> bool:
        fixed = self.benefit_form in ("coupons", "price") or "amount" in self._stated() or self.text_of("at_most")
        return super().may_be_empty(name) or (name == "currency" and not fixed)

    def clean(self) -> dict[str, Any]:
        super().clean()
        lacking = {"tiers": self.tiers, "slices": self.slices, "coupons": self.where}.get(self.benefit_form)
        if lacking is not None and not lacking.active_forms:
            self._missing_names.append("form")
            texts = {
                "tiers": _("Add at least one tier."),
                "slices": _("Add at least one slice."),
                "coupons": _("Add at least one condition for the orders that the coupons are for."),
            }
            if self.campaign.checked:
                self.add_error(None, str(texts[self.benefit_form]))
        return self.cleaned_data

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section; those of the other kinds are left out."""
        kind, visible = self.benefit_form, self.visible_names()
        words = dict.fromkeys(
            ("fee", "of", "rate", "currency", *REDUCTIONS, "at_most", "by", "after", "coupons"), ABSENT
        )
        if kind == "coupons":
            return {"benefit": {**words, "coupons": self._coupons()}}
        own = {"percent", "amount", "price"} & set(visible)
        values = {name: self.written(name) for name in ("fee", "rate", "currency", "at_most", *own) if name in visible}
        needed = {name: or_missing(values[name]) for name in ("fee", "rate", *own) if name in values}
        stated = {kind: {"fact": self.written("fact")}} if "fact" in visible and self.text_of("fact") else {}
        parts = {"tiers": self.tiers, "slices": self.slices}
        rows = {kind: parts[kind].write() or None} if kind in parts else {}
        along = "measure" in visible and self.text_of("measure")
        measure = {ALONG[kind]: {"measure": self.written("measure")}} if along else {}
        of = {"of": {"measure": or_missing(self.written("of"))}} if "of" in visible else {}
        return {"benefit": {**words, **values, **needed, **stated, **rows, **measure, **of}}

    def _coupons(self) -> dict[str, Any]:
        """Return the words of coupons; a kind of order that goes without saying is left out unless it was written."""
        said = self.order_kind != DEFAULT_ORDERS or self.initial.get("says_orders")
        other = {"value": "price", "price": "value"}[self._sets]
        values = {name: or_missing(self.written(name)) for name in ("count", self._sets, "currency")}
        ends = {word: part for word in ("from", "to") if isinstance(part := self.parts[word], TimeForm)}
        valid = {"from": ends["from"].bound(), "to": ends["to"].bound() or None}
        kind = {"for": self.order_kind if said else ABSENT, other: ABSENT}
        return {**kind, **values, "valid": valid, "where": self.where.write() or None}


def form_of(benefit: Any) -> str:
    """Return the form of a benefit: a word of a discount, or coupons."""
    return next((form for form in ("coupons", *REDUCTIONS[1:]) if form in benefit), "percent")


def initial_benefit(benefit: Any, zone: str) -> dict[str, Any]:
    """Return the initial values of a benefit of any form."""
    coupons = benefit.get("coupons") or {}
    valid = coupons.get("valid") or {}
    return {
        "form": form_of(benefit),
        **{key: benefit.get(key) for key in ("fee", "rate", "at_most")},
        "price": coupons.get("price") or benefit.get("price"),
        "orders": coupons.get("for") or DEFAULT_ORDERS,
        "says_orders": "for" in coupons,
        "sets": "price" if coupons.get("price") is not None else "value",
        **{key: None if isinstance(value := benefit.get(key), dict) else value for key in ("percent", "amount")},
        "fact": next((v.get("fact") for key in ("percent", "amount") if isinstance(v := benefit.get(key), dict)), None),
        **{key: coupons.get(key) for key in ("count", "value")},
        "currency": coupons.get("currency") or benefit.get("currency"),
        "from": initial_time(valid.get("from"), zone),
        "to": initial_time(valid.get("to"), zone, is_end=True),
        "measure": next((v.get("measure") for key in ALONG.values() if isinstance(v := benefit.get(key), dict)), None),
        "of": of.get("measure") if isinstance(of := benefit.get("of"), dict) else None,
        "tiers": list(benefit.get("tiers") or ()),
        "slices": list(benefit.get("slices") or ()),
        "where": list(coupons.get("where") or ()),
    }
