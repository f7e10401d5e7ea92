"""The offer form: one form for each section, formsets for conditions and tiers, and the whole of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.conditions import RowFormSet, condition_formset
from backoffice.offer_form.fields import (
    CampaignContext,
    Choices,
    Label,
    LocalTimeField,
    NumberField,
    SectionForm,
    SelectField,
    YamlField,
    bound_values,
    instants,
)
from core.facts import FEES, SUBJECTS, Collection
from definitions import yaml_roundtrip
from logistics.facts import FREIGHT_ORDERS

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


@dataclass(frozen=True)
class Section:
    """Part of the page under one heading. `rows` is a formset that applies, `hidden_rows` are those that do not."""

    title: Label
    form: SectionForm | None = None
    rows: RowFormSet | None = None
    hidden_rows: Sequence[RowFormSet] = ()


class OfferForm:
    """All forms of one offer, bound where `data` was sent."""

    def __init__(self, offer: Any, campaign: CampaignContext, data: QueryDict | None = None) -> None:
        self.other_errors: list[str] = []
        sent = _with_empty_rows(data) if data else None
        benefit, quota = offer.get("benefit") or {}, offer.get("quota") or {}
        self.basics = BasicsForm(sent, prefix="basics", campaign=campaign, initial=_initial_basics(offer))
        self.collection = SUBJECTS.get(self.basics.text_of("subject"), FREIGHT_ORDERS)
        self.claim = ClaimForm(
            sent,
            prefix="claim",
            campaign=campaign,
            collection=self.collection,
            initial=_initial_claim(offer, campaign.zone),
        )
        self.benefit = BenefitForm(
            sent, prefix="benefit", campaign=campaign, initial=_initial_benefit(benefit, campaign.zone)
        )
        self.quota = QuotaForm(sent, prefix="quota", campaign=campaign, initial=dict(quota))
        settlement = yaml_roundtrip.dump(offer["settlement"]).strip() if offer.get("settlement") else ""
        self.settlement = SettlementForm(sent, prefix="settlement", campaign=campaign, initial={"raw": settlement})
        self.where, self.conditions = (
            self._condition_rows(name, sent, offer.get(name), campaign, self.collection)
            for name in ("where", "conditions")
        )
        coupons = benefit.get("coupons") or {}
        self.coupon_where = self._condition_rows("coupons", sent, coupons.get("where"), campaign, FREIGHT_ORDERS)
        tiers = list(benefit.get("tiers") or [])
        self.tiers = TierFormSet(
            _only_with(sent, "tiers"),
            prefix="tiers",
            rows=tiers,
            initial=[_initial_tier(tier) for tier in tiers],
            form_kwargs={"campaign": campaign},
        )

    @staticmethod
    def _condition_rows(
        prefix: str, sent: QueryDict | None, rows: Any, campaign: CampaignContext, collection: Collection
    ) -> RowFormSet:
        return condition_formset(prefix, _only_with(sent, prefix), rows, campaign=campaign, collection=collection)

    @property
    def sections(self) -> Iterator[Section]:
        """Yield the sections in the order of the page."""
        applies = {"tiers": self.tiers, "coupons": self.coupon_where}
        shown = applies.pop(self.benefit.benefit_form, None)
        yield Section(_("Basics"), self.basics)
        yield Section(_("Applies to"), rows=self.where)
        yield Section(_("Claim"), self.claim)
        yield Section(_("Conditions"), rows=self.conditions)
        yield Section(_("Benefit"), self.benefit, shown, list(applies.values()))
        yield Section(_("Quota"), self.quota)
        yield Section(_("Settlement"), self.settlement)

    def is_valid(self) -> bool:
        """Check every form that applies. Coupons need at least one condition of the orders that they are for."""
        forms_ = [part for section in self.sections for part in (section.form, section.rows) if part and part.is_bound]
        checked = [part.is_valid() for part in forms_]  # all of them, so that each has its errors
        valid = all(checked)
        if valid and self.benefit.benefit_form == "coupons" and not self.coupon_where.filled_forms():
            self.benefit.report("", str(_("Add at least one condition for the orders that the coupons are for.")))
            return False
        return valid

    def report(self, path: str, message: str) -> None:
        """Show an error of the definition at the field of `path`, a dotted path below the offer."""
        form, name = self._locate(path.split("."))
        if form is None:
            self.other_errors.append(message)
        else:
            form.report(name, message)

    def _locate(self, path: list[str]) -> tuple[SectionForm | None, str]:
        found: tuple[SectionForm | None, str] = (None, "")
        match path:
            case ["names", language, *_rest]:
                found = self.basics, f"names_{language}"
            case ["subject", *_rest]:
                found = self.basics, "subject"
            case ["decided_at" | "settling_hours" as name, *_rest]:
                found = self.claim, name
            case ["claim", *_rest]:
                found = self.claim, "raw" if "raw" in self.claim.visible_names() else "at"
            case ["where" | "conditions" as name, number, *_rest] if number.isdecimal():
                found = _row(self.where if name == "where" else self.conditions, int(number))
            case ["benefit", "tiers", number, *_rest] if number.isdecimal():
                found = _row(self.tiers, int(number))
            case ["benefit", "coupons", "where", number, *_rest] if number.isdecimal():
                found = _row(self.coupon_where, int(number))
            case ["benefit", "coupons", "valid", end, *_rest]:
                found = self.benefit, f"{end}_at"
            case ["benefit", "coupons", name, *_rest] | ["benefit", name, *_rest]:
                found = self.benefit, name
            case ["benefit"]:
                found = self.benefit, ""
            case ["quota", *rest]:
                found = self.quota, rest[0] if rest else ""
            case ["settlement", *_rest]:
                found = self.settlement, "raw"
        return found


def _row(rows: RowFormSet, number: int) -> tuple[SectionForm | None, str]:
    """Return the form of a row of the definition, and the last field of it, which holds the value."""
    forms_ = rows.written or rows.forms
    if number >= len(forms_):
        return None, ""
    names = [name for name in forms_[number].visible_names() if not name.endswith("zone")]
    return forms_[number], names[-1]


def _only_with(data: QueryDict | None, prefix: str) -> QueryDict | None:
    """Return the data where it contains the formset; a formset that was not sent stays as it is."""
    return data if data is not None and f"{prefix}-TOTAL_FORMS" in data else None


def _with_empty_rows(data: QueryDict) -> QueryDict:
    """Return the data with an empty row at the end of each formset whose last row is filled in."""
    extended = data.copy()
    for prefix, names in (
        ("where", ["fact"]),
        ("conditions", ["fact"]),
        ("coupons", ["fact"]),
        ("tiers", ["start", "off"]),
    ):
        total = data.get(f"{prefix}-TOTAL_FORMS", "")
        last = int(total) - 1 if total.isascii() and total.isdecimal() and len(total) < 4 else None
        if last is not None and (last < 0 or any(data.get(f"{prefix}-{last}-{name}") for name in [*names, "raw"])):
            extended[f"{prefix}-TOTAL_FORMS"] = str(last + 2)
    return extended


def _initial_basics(offer: Any) -> dict[str, Any]:
    names = offer.get("names") or {}
    return {"names_en": names.get("en"), "names_zh": names.get("zh"), "subject": offer.get("subject")}


def _initial_claim(offer: Any, zone: str) -> dict[str, Any]:
    claim = offer.get("claim") or {}
    simple = set(claim) <= {"at"} and isinstance(claim.get("at", ""), str)
    how = {"at": claim.get("at")} if simple else {"raw": yaml_roundtrip.dump(claim).strip()}
    decided = bound_values(offer.get("decided_at"), "decided_", zone)
    return {**how, **decided, "settling_hours": offer.get("settling_hours")}


def form_of(benefit: Any) -> str:
    """Return the form of a benefit: percent, amount, tiers or coupons."""
    return next((form for form in ("coupons", "tiers", "amount") if form in benefit), "percent")


def _initial_benefit(benefit: Any, zone: str) -> dict[str, Any]:
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


def _initial_tier(tier: Any) -> dict[str, Any]:
    unit = "amount" if "amount" in tier else "percent"
    return {"start": tier.get("from"), "off": tier.get(unit), "unit": unit}
