"""Benefit of an offer as a form: a card for each kind, and its values."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.known_values import ValueCatalogue
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.times import TimeForm, initial_time
from core.facts import FEES
from logistics.facts import FREIGHT_ORDERS

KINDS: dict[str, tuple[Any, Any]] = {
    "percent": (_("Percent off"), _("of one fee")),
    "amount": (_("Amount off"), _("a fixed amount of one fee")),
    "tiers": (_("Tiers"), _("more off for a higher fee")),
    "coupons": (_("Coupons"), _("to spend later on freight")),
}
TIER_UNITS: Choices = [("percent", _("%")), ("amount", _("amount"))]
MAIN_CURRENCIES = ("CNY", "USD", "EUR")


class TierForm(SectionForm):
    """One tier: the reduction from an amount of the fee on."""

    start = NumberField(label=_("Fee from"), required=False)
    below = NumberField(label=_("Below (optional)"), required=False)
    off = NumberField(label=_("Reduction"), required=False)
    unit = SelectField(label=_("Unit"), required=False, widget=forms.Select(choices=TIER_UNITS))
    empty_texts = {
        "start": _("Enter a number, or remove this tier."),
        "off": _("Enter a number, or remove this tier."),
    }

    def to_row(self) -> dict[str, Any]:
        """Return the tier for the definition."""
        off = {self.written("unit") or "percent": or_missing(self.written("off"))}
        below = {"below": self.written("below")} if self.written("below") else {}
        return {"from": or_missing(self.written("start")), **below, **off}


class TierFormSet(RowFormSet):
    """Tiers of one benefit."""

    form = TierForm
    first_names = ("start", "off")


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
    count = NumberField(label=_("Number of coupons"), required=False, whole=True, least=1)
    value = NumberField(label=_("Value of each coupon"), required=False)
    currency = SelectField(label=_("Currency"), required=False)
    empty_texts = {
        "fee": _("Choose a fee."),
        "rate": _("Enter a number."),
        "percent": _("Enter a number."),
        "amount": _("Enter an amount, for example 30.00."),
        "count": _("Enter a number."),
        "value": _("Enter an amount, for example 30.00."),
        "currency": _("Choose a currency."),
    }
    units = {"percent": "%", "rate": "%"}

    def __init__(self, *args: Any, subject: str, **options: Any) -> None:
        super().__init__(*args, **options)
        fees: Choices = [(name, capfirst(str(fee.label))) for name, fee in FEES.items() if fee.subject == subject]
        known = ValueCatalogue().of_fact(FREIGHT_ORDERS.facts["currency"], FREIGHT_ORDERS).names
        ordered = [*((code, known[code]) for code in MAIN_CURRENCIES), *known.items()]
        optional: Choices = [("", "–")]
        for name, choices in {"fee": [*optional, *fees], "currency": [*optional, *dict(ordered).items()]}.items():
            self.set_choices(name, choices)
        data = self.data if self.is_bound else None
        for name, label, is_end in (("from", _("Valid from"), False), ("to", _("Valid until"), True)):
            self.parts[name] = TimeForm(
                data,
                prefix=f"{self.prefix}-{name}",
                campaign=self.campaign,
                label=label,
                is_end=is_end,
                initial=self.initial.get(name),
            )
        tiers, where = self.initial.get("tiers") or [], self.initial.get("where") or []
        kwargs = {"campaign": self.campaign}
        self.tiers = TierFormSet(data, prefix="tiers", initial=list(map(initial_tier, tiers)), form_kwargs=kwargs)
        self.where = condition_formset(
            "coupons", data, where, campaign=self.campaign, collection=FREIGHT_ORDERS, simple=True
        )
        self.parts |= {"tiers": self.tiers, "where": self.where}

    @property
    def benefit_form(self) -> str:
        """Return the chosen kind: percent, amount, tiers or coupons."""
        return self.text_of("form") or "percent"

    @property
    def times(self) -> list[Any]:
        """Return the dates of coupons."""
        return [self.parts[name] for name in ("from", "to") if name in self.visible_parts()]

    @property
    def shows_tiers(self) -> bool:
        return self.benefit_form == "tiers"

    def cards(self) -> list[dict[str, Any]]:
        """Return the kinds of benefit as choice cards."""
        chosen = self.benefit_form
        return [
            {"value": kind, "name": name, "note": note, "checked": kind == chosen, "field": self["form"].html_name}
            for kind, (name, note) in KINDS.items()
        ]

    def visible_names(self) -> list[str]:
        if self.benefit_form == "coupons":
            return ["form", "count", "value", "currency"]
        fee = FEES.get(self.text_of("fee"))
        rate = ["rate"] if (fee and fee.rated) or self.initial.get("rate") else []
        return ["form", "fee", *rate, *({"percent", "amount"} & {self.benefit_form}), *self._currency(fee)]

    def _currency(self, fee: Any) -> list[str]:
        """Return the field of the currency unless the fee is always in one, which the offer need not repeat."""
        return ["currency"] if not (fee and fee.currency) or self.initial.get("currency") else []

    def visible_parts(self) -> list[str]:
        return {"tiers": ["tiers"], "coupons": ["from", "to", "where"]}.get(self.benefit_form, [])

    def may_be_empty(self, name: str) -> bool:
        fixed = self.benefit_form in ("amount", "coupons")
        return super().may_be_empty(name) or (name == "currency" and not fixed)

    def clean(self) -> dict[str, Any]:
        super().clean()
        lacking = {"tiers": self.tiers, "coupons": self.where}.get(self.benefit_form)
        if lacking is not None and not lacking.active_forms:
            self._missing_names.append("form")
            texts = {
                "tiers": _("Add at least one tier."),
                "coupons": _("Add at least one condition for the orders that the coupons are for."),
            }
            if self.campaign.checked:
                self.add_error(None, str(texts[self.benefit_form]))
        return self.cleaned_data

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section; those of the other kinds are left out."""
        kind, visible = self.benefit_form, self.visible_names()
        words = dict.fromkeys(("fee", "rate", "currency", "percent", "amount", "tiers", "coupons"), ABSENT)
        if kind == "coupons":
            return {"benefit": {**words, "coupons": self._coupons()}}
        own = {"percent", "amount"} & {kind}
        values = {name: self.written(name) for name in ("fee", "rate", "currency", *own) if name in visible}
        needed = {name: or_missing(values[name]) for name in ("fee", "rate", *own) if name in values}
        tiers = {"tiers": self.tiers.write() or None} if kind == "tiers" else {}
        return {"benefit": {**words, **values, **needed, **tiers}}

    def _coupons(self) -> dict[str, Any]:
        values = {name: or_missing(self.written(name)) for name in ("count", "value", "currency")}
        ends = {word: self.parts[word] for word in ("from", "to")}
        valid = {word: (part.bound() or None) if isinstance(part, TimeForm) else None for word, part in ends.items()}
        return {**values, "valid": valid, "where": self.where.write() or None}


def form_of(benefit: Any) -> str:
    """Return the form of a benefit: percent, amount, tiers or coupons."""
    return next((form for form in ("coupons", "tiers", "amount") if form in benefit), "percent")


def initial_benefit(benefit: Any, zone: str) -> dict[str, Any]:
    """Return the initial values of a benefit of any form."""
    coupons = benefit.get("coupons") or {}
    valid = coupons.get("valid") or {}
    return {
        "form": form_of(benefit),
        **{key: benefit.get(key) for key in ("fee", "rate", "percent", "amount")},
        **{key: coupons.get(key) for key in ("count", "value")},
        "currency": coupons.get("currency") or benefit.get("currency"),
        "from": initial_time(valid.get("from"), zone),
        "to": initial_time(valid.get("to"), zone, is_end=True),
        "tiers": list(benefit.get("tiers") or ()),
        "where": list(coupons.get("where") or ()),
    }


def initial_tier(tier: Any) -> dict[str, Any]:
    """Return the initial values of a tier."""
    unit = "amount" if "amount" in tier else "percent"
    return {"start": tier.get("from"), "below": tier.get("below"), "off": tier.get(unit), "unit": unit}
