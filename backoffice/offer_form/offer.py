"""The whole offer form: its sections, their checks, and the place of each error of the definition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.fields import CampaignContext, Label, SectionForm
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.sections import (
    BasicsForm,
    BenefitForm,
    ClaimForm,
    QuotaForm,
    SettlementForm,
    TierFormSet,
    initial_basics,
    initial_benefit,
    initial_claim,
    initial_tier,
)
from core.facts import SUBJECTS, Collection
from definitions import yaml_roundtrip
from logistics.facts import FREIGHT_ORDERS
from rules.offer_facts import BENEFIT, OFFER_FACTS


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
        self.basics = BasicsForm(sent, prefix="basics", campaign=campaign, initial=initial_basics(offer))
        self.collection = SUBJECTS.get(self.basics.text_of("subject"), FREIGHT_ORDERS)
        claim = initial_claim(offer, campaign.zone)
        self.claim = ClaimForm(sent, prefix="claim", campaign=campaign, collection=self.collection, initial=claim)
        self.benefit = BenefitForm(
            sent, prefix="benefit", campaign=campaign, initial=initial_benefit(benefit, campaign.zone)
        )
        self.quota = QuotaForm(sent, prefix="quota", campaign=campaign, initial=dict(quota))
        settlement = yaml_roundtrip.dump(offer["settlement"]).strip() if offer.get("settlement") else ""
        self.settlement = SettlementForm(sent, prefix="settlement", campaign=campaign, initial={"raw": settlement})
        of_claim = replace(self.collection, facts={**self.collection.facts, BENEFIT: OFFER_FACTS[BENEFIT]})
        self.where, self.conditions = (
            self._condition_rows(name, sent, offer.get(name), campaign, of_claim) for name in ("where", "conditions")
        )
        coupons = benefit.get("coupons") or {}
        self.coupon_where = self._condition_rows("coupons", sent, coupons.get("where"), campaign, FREIGHT_ORDERS)
        self.tiers = self._tier_rows(sent, list(benefit.get("tiers") or []), campaign)

    @staticmethod
    def _tier_rows(sent: QueryDict | None, tiers: list[Any], campaign: CampaignContext) -> TierFormSet:
        return TierFormSet(
            _only_with(sent, "tiers"),
            prefix="tiers",
            rows=tiers,
            initial=[initial_tier(tier) for tier in tiers],
            form_kwargs={"campaign": campaign},
        )

    @staticmethod
    def _condition_rows(
        prefix: str, sent: QueryDict | None, rows: object, campaign: CampaignContext, collection: Collection
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
        place: tuple[SectionForm | None, str] = (None, "")
        match path:
            case ["names", language, *_rest]:
                place = self.basics, f"names_{language}"
            case ["subject", *_rest]:
                place = self.basics, "subject"
            case ["decided_at" | "settling_hours" as name, *_rest]:
                place = self.claim, name
            case ["claim", *_rest]:
                place = self.claim, "raw" if "raw" in self.claim.visible_names() else "at"
            case ["where" | "conditions" as name, number, *_rest] if number.isdecimal():
                place = _row(self.where if name == "where" else self.conditions, int(number))
            case ["benefit", *rest]:
                place = self._locate_benefit(rest)
            case ["quota", *rest]:
                place = self.quota, rest[0] if rest else ""
            case ["settlement", *_rest]:
                place = self.settlement, "raw"
        return place

    def _locate_benefit(self, path: list[str]) -> tuple[SectionForm | None, str]:
        match path:
            case ["tiers", number, *_rest] if number.isdecimal():
                return _row(self.tiers, int(number))
            case ["coupons", "where", number, *_rest] if number.isdecimal():
                return _row(self.coupon_where, int(number))
            case ["coupons", "valid", end, *_rest]:
                return self.benefit, f"{end}_at"
            case ["coupons", name, *_rest] | [name, *_rest]:
                return self.benefit, name
        return self.benefit, ""


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
