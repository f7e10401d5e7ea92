"""Sections of the offer form: one form for each, and the initial values from the definition."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.fields import (
    Choices,
    LocalTimeField,
    NumberField,
    SectionForm,
    SelectField,
    YamlField,
    bound_values,
    instants,
)
from backoffice.offer_form.rows import RowFormSet
from core.facts import FEES, SUBJECTS, Collection
from definitions import yaml_roundtrip

BENEFIT_FORMS: Choices = [
    ("percent", _("a percentage off")),
    ("amount", _("an amount off")),
    ("tiers", _("tiers")),
    ("coupons", _("coupons")),
]
TIER_UNITS: Choices = [("percent", _("%")), ("amount", _("amount"))]


class BasicsForm(SectionForm):
    """Names of the offer and the kind of object that it benefits."""

    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    subject = SelectField(label=_("Benefit is given for each"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        subjects: Choices = [(name, collection.singular) for name, collection in SUBJECTS.items()]
        self.fields["subject"].set_choices(subjects, self.text_of("subject"))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.require(_("Enter a name."), "names_en", "names_zh")
        return self.cleaned_data


class ClaimForm(SectionForm):
    """Instant of the claim, instant of the decision, and the wait for late facts."""

    at = SelectField(label=_("Claimed at"), required=False)
    raw = YamlField(label=_("Claim as YAML"), required=False)
    decided_at = LocalTimeField(label=_("Decided at (empty: immediately)"), required=False)
    decided_zone = SelectField(label=_("Time zone of the decision"), required=False)
    settling_hours = NumberField(label=_("Hours to wait for late data"), required=False, whole=True, least=0)

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["at"].set_choices(  # type: ignore[attr-defined]
            instants(collection.facts.values()), self.text_of("at")
        )
        self.fields["decided_zone"].set_choices(  # type: ignore[attr-defined]
            self.campaign.zones, self.text_of("decided_zone")
        )

    def visible_names(self) -> list[str]:
        return ["raw" if self.initial.get("raw") else "at", "decided_at", "decided_zone", "settling_hours"]

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.require(_("Choose when the offer is claimed."), "at", "raw")
        return self.cleaned_data


class BenefitForm(SectionForm):
    """Form of the benefit and its values; tiers and the orders of coupons have formsets of their own."""

    form = SelectField(label=_("Kind of benefit"), required=False, widget=forms.Select(choices=BENEFIT_FORMS))
    fee = SelectField(label=_("Fee that is reduced"), required=False)
    rate = NumberField(label=_("Rate of the fee in %"), required=False)
    percent = NumberField(label=_("Percent off"), required=False)
    amount = NumberField(label=_("Amount off"), required=False)
    count = NumberField(label=_("Number of coupons"), required=False, whole=True, least=1)
    value = NumberField(label=_("Value of each coupon"), required=False)
    currency = forms.CharField(label=_("Currency"), required=False, widget=forms.TextInput(attrs={"size": 5}))
    from_at = LocalTimeField(label=_("Valid from"), required=False)
    from_zone = SelectField(label=_("Time zone of the start"), required=False)
    to_at = LocalTimeField(label=_("Valid until"), required=False)
    to_zone = SelectField(label=_("Time zone of the end"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fees: Choices = [("", "—"), *((name, fee.label) for name, fee in FEES.items())]
        for name, choices in (("fee", fees), ("from_zone", self.campaign.zones), ("to_zone", self.campaign.zones)):
            self.fields[name].set_choices(choices, self.text_of(name))  # type: ignore[attr-defined]

    @property
    def benefit_form(self) -> str:
        """Return the chosen form: percent, amount, tiers or coupons."""
        return self.text_of("form") or "percent"

    def visible_names(self) -> list[str]:
        if self.benefit_form == "coupons":
            return ["form", "count", "value", "currency", "from_at", "from_zone", "to_at", "to_zone"]
        fee = FEES.get(self.text_of("fee"))
        rate = ["rate"] if (fee and fee.rated) or self.initial.get("rate") else []
        currency = [] if fee and fee.currency else ["currency"]
        return ["form", "fee", *rate, *({"percent", "amount"} & {self.benefit_form}), *currency]

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError(_("Enter a currency code of three letters, such as CNY."))
        return currency

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.require(_("Choose a fee."), "fee")
        self.require(_("Enter a number."), "rate", "percent", "amount", "count", "value")
        self.require(_("Enter a date and a time."), "from_at", "to_at")
        if self.benefit_form in ("amount", "coupons"):
            self.require(_("Enter a currency code of three letters, such as CNY."), "currency")
        return self.cleaned_data


class TierForm(SectionForm):
    """One tier: the reduction from an amount of the fee on."""

    start = NumberField(label=_("Fee from"), required=False)
    off = NumberField(label=_("Reduction"), required=False)
    unit = SelectField(label=_("Unit"), required=False, widget=forms.Select(choices=TIER_UNITS))

    def has_changed(self) -> bool:
        """Return whether the row was changed; a new row is empty until it has a number, whatever its unit."""
        return super().has_changed() and bool(self.initial or self.text_of("start") or self.text_of("off"))

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.require(_("Enter a number, or remove this tier."), "start", "off")
        return self.cleaned_data


class TierFormSet(RowFormSet):
    """Tiers of one benefit."""

    form = TierForm


class QuotaForm(SectionForm):
    """Quota of the offer and of each merchant; empty means no limit."""

    limit = NumberField(label=_("Quota (empty: no limit)"), required=False, whole=True, least=1)
    per_merchant = NumberField(
        label=_("Limit for each merchant (empty: no limit)"), required=False, whole=True, least=1
    )


class SettlementForm(SectionForm):
    """Settlement, release and revocation, as YAML."""

    raw = YamlField(label=_("Settlement as YAML (empty: settled at the claim)"), required=False)


def initial_basics(offer: Any) -> dict[str, Any]:
    """Return the initial values of the names and the subject."""
    names = offer.get("names") or {}
    return {"names_en": names.get("en"), "names_zh": names.get("zh"), "subject": offer.get("subject")}


def initial_claim(offer: Any, zone: str) -> dict[str, Any]:
    """Return the initial values of the claim; one that is more than an instant is edited as YAML."""
    claim = offer.get("claim") or {}
    simple = set(claim) <= {"at"} and isinstance(claim.get("at", ""), str)
    how = {"at": claim.get("at")} if simple else {"raw": yaml_roundtrip.dump(claim).strip()}
    decided = bound_values(offer.get("decided_at"), "decided_", zone)
    return {**how, **decided, "settling_hours": offer.get("settling_hours")}


def form_of(benefit: Any) -> str:
    """Return the form of a benefit: percent, amount, tiers or coupons."""
    return next((form for form in ("coupons", "tiers", "amount") if form in benefit), "percent")


def initial_benefit(benefit: Any, zone: str) -> dict[str, Any]:
    """Return the initial values of a benefit of any form."""
    coupons = benefit.get("coupons") or {}
    valid = coupons.get("valid") or {}
    plain = {key: benefit.get(key) for key in ("fee", "rate", "percent", "amount")}
    return {
        "form": form_of(benefit),
        **plain,
        **{key: coupons.get(key) for key in ("count", "value")},
        "currency": coupons.get("currency") or benefit.get("currency"),
        **bound_values(valid.get("from"), "from_", zone),
        **bound_values(valid.get("to"), "to_", zone),
    }


def initial_tier(tier: Any) -> dict[str, Any]:
    """Return the initial values of a tier."""
    unit = "amount" if "amount" in tier else "percent"
    return {"start": tier.get("from"), "off": tier.get(unit), "unit": unit}
