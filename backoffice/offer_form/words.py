"""Place of every word of the vocabulary in the workspace: the form and the field that write it.

A word that is added to the vocabulary gets its field here; a test walks the vocabulary and names words without one.
"""

from typing import Any

from backoffice.offer_form.benefit import BenefitForm
from backoffice.offer_form.benefit_parts import SliceForm, SliceFormSet, TierForm, TierFormSet
from backoffice.offer_form.campaign_form import (
    CampaignForm,
    ListForm,
    ListFormSet,
    MeasureForm,
    MeasureFormSet,
    ValueForm,
    ValueFormSet,
    WindowForm,
    WindowFormSet,
)
from backoffice.offer_form.condition_rows import AMOUNTS, OPERATOR_LABELS
from backoffice.offer_form.conditions import ConditionForm, ConditionFormSet
from backoffice.offer_form.declarations_form import DeclarationsForm, LookupsForm
from backoffice.offer_form.documents_form import (
    AllowanceForm,
    AllowanceFormSet,
    DocumentForm,
    EntitlementForm,
    EntitlementFormSet,
)
from backoffice.offer_form.funding import PayerFormSet
from backoffice.offer_form.moments import MomentForm
from backoffice.offer_form.quota import BandForm, QuotaForm
from backoffice.offer_form.sections import BasicsForm, ClaimForm, NamesForm, NamesFormSet
from backoffice.offer_form.settlement import SettlementForm
from backoffice.offer_form.times import TimeForm
from definitions.allowances import AllowanceTerms
from definitions.case_numbers import NumberByCases, NumberCase
from definitions.entitlements import EntitlementTerms
from definitions.scorecards import Band, Level, Part, Rules, ScorecardTerms, SeriesTerms
from definitions.scorecards.terms import SeriesOfScorecard
from rules.base import DefinitionModel
from rules.calendar_periods import CalendarPeriod, MonthFrom, Weekdays
from rules.lookups import Lookup
from rules.measure_periods import Over
from rules.measures import PercentMeasure, RowMeasure
from rules.periods import FirstDays, LastDays, OwnPeriod, Sessions
from rules.rated import Rated
from rules.weights import Weight

Place = tuple[Any, str]
"""A form and its field; a list of forms, or a form as a whole, with an empty field."""

OPERATORS: dict[str, Place] = {f"Comparison.{word}": (ConditionForm, "op") for word in OPERATOR_LABELS}

OF_MEASURES = (
    RowMeasure,
    PercentMeasure,
    Weight,
    Over,
    CalendarPeriod,
    MonthFrom,
    Sessions,
    Weekdays,
    LastDays,
    FirstDays,
    OwnPeriod,
)
MEASURES = [f"{model.__name__}.{word}" for model in OF_MEASURES for word in model.field_words()]
"""Words that are edited as text: what a measure is."""

OF_SCORECARDS = (ScorecardTerms, SeriesOfScorecard, SeriesTerms, Level, Rules, Part, Band)
FIELDS_OF_DOCUMENTS = {"names": "names_en", "in": "period"}
"""Words of allowances and entitlements whose fields have other names."""
CASES = [f"{model.__name__}.{word}" for model in (NumberByCases, NumberCase) for word in model.field_words()]
SCORECARDS = [f"{model.__name__}.{word}" for model in OF_SCORECARDS for word in model.field_words()]


def _fields_of(terms: type[DefinitionModel], form: type[DocumentForm]) -> dict[str, Place]:
    """Return the field of each word of a document. Its conditions are rows, which open on demand."""
    fields: dict[str, Place] = {
        f"{terms.__name__}.{word}": (form, FIELDS_OF_DOCUMENTS.get(word, word)) for word in terms.field_words()
    }
    return fields | {f"{terms.__name__}.conditions": (ConditionFormSet, "")}


PLACES: dict[str, Place] = {
    "CampaignDefinition.campaign": (CampaignForm, "code"),
    "CampaignDefinition.names": (CampaignForm, "names_en"),
    "CampaignDefinition.zone": (CampaignForm, "zone"),
    "CampaignDefinition.windows": (WindowFormSet, ""),
    "CampaignDefinition.lists": (ListFormSet, ""),
    "CampaignDefinition.measures": (MeasureFormSet, ""),
    **dict.fromkeys(MEASURES, (MeasureForm, "text")),
    "RowMeasure.names": (MeasureForm, "names_en"),
    "PercentMeasure.names": (MeasureForm, "names_en"),
    "Measured.measure": (ConditionForm, "fact"),
    **{f"Measured.{word}": (ConditionForm, "op") for word in AMOUNTS},
    "Measured.code": (ConditionForm, "code"),
    "CampaignDefinition.allowances": (AllowanceFormSet, ""),
    **_fields_of(AllowanceTerms, AllowanceForm),
    "CampaignDefinition.entitlements": (EntitlementFormSet, ""),
    **_fields_of(EntitlementTerms, EntitlementForm),
    **dict.fromkeys(CASES, (AllowanceForm, "units")),
    "CampaignDefinition.scorecards": (DeclarationsForm, "scorecards"),
    **dict.fromkeys(SCORECARDS, (DeclarationsForm, "scorecards")),
    "CampaignDefinition.attributes": (DeclarationsForm, "attributes"),
    "CampaignDefinition.events": (DeclarationsForm, "events"),
    "CampaignDefinition.offers": (BasicsForm, ""),
    "Declared.attributes": (DeclarationsForm, "attributes"),
    "Declared.events": (DeclarationsForm, "events"),
    "Attribute.type": (DeclarationsForm, "attributes"),
    "Attribute.names": (DeclarationsForm, "attributes"),
    "Attribute.values": (DeclarationsForm, "attributes"),
    "EventKind.names": (DeclarationsForm, "events"),
    "EventKind.attributes": (DeclarationsForm, "events"),
    "Names.en": (NamesForm, "en"),
    "Names.zh": (NamesForm, "zh"),
    "Window.from": (WindowForm, ""),
    "Window.to": (WindowForm, ""),
    "Bound.at": (TimeForm, "at"),
    "Bound.zone": (TimeForm, "zone"),
    "Bound.twin": (TimeForm, "twin_zone"),
    "Clock.at": (TimeForm, "twin_at"),
    "Clock.zone": (TimeForm, "twin_zone"),
    "ValueList.names": (ListForm, "names_en"),
    "ValueList.values": (ValueFormSet, ""),
    "ValueList.labels": (ValueForm, "en"),
    "OfferTerms.code": (BasicsForm, "code"),
    "OfferTerms.names": (BasicsForm, "names_en"),
    "OfferTerms.carriers": (NamesFormSet, ""),
    "OfferTerms.subject": (BasicsForm, "subject"),
    "OfferTerms.lookups": (LookupsForm, "lookups"),
    **{f"Lookup.{word}": (LookupsForm, "lookups") for word in Lookup.field_words()},
    "OfferTerms.where": (ConditionFormSet, ""),
    "OfferTerms.claim": (ClaimForm, "kind"),
    "OfferTerms.decided_at": (TimeForm, "at"),
    "OfferTerms.settling_hours": (ClaimForm, "settling_hours"),
    "OfferTerms.conditions": (ConditionFormSet, ""),
    "OfferTerms.benefit": (BenefitForm, "form"),
    "OfferTerms.quota": (QuotaForm, ""),
    "OfferTerms.funded_by": (PayerFormSet, ""),
    "OfferTerms.settlement": (SettlementForm, ""),
    "ClaimAt.at": (ClaimForm, "kind"),
    "ClaimAt.each": (ClaimForm, "each"),
    "ClaimAt.during": (ClaimForm, "during"),
    "ClaimNth.nth": (ClaimForm, "kind"),
    "Nth.number": (ClaimForm, "number"),
    "Nth.of": (ClaimForm, "of"),
    "Nth.at": (ClaimForm, "nth_at"),
    "Nth.where": (ConditionFormSet, ""),
    "ClaimOverThreshold.over_threshold": (ClaimForm, "kind"),
    "Threshold.height": (ClaimForm, "height"),
    "Threshold.window": (ClaimForm, "window"),
    "Threshold.where": (ConditionFormSet, ""),
    "LatestOf.latest_of": (MomentForm, "latest_of"),
    "DayAfter.day_after": (MomentForm, "day_after"),
    "DayAfter.zone": (MomentForm, "day_zone"),
    "ByCase.by": (MomentForm, "by"),
    "ByCase.cases": (MomentForm, "kind"),
    "ByCase.otherwise": (MomentForm, "kind"),
    "Comparison.fact": (ConditionForm, "fact"),
    "Comparison.code": (ConditionForm, "code"),
    **OPERATORS,
    "InForce.in_force": (ConditionForm, "force"),
    "InForce.not_in_force": (ConditionForm, "force"),
    "InForce.of": (ConditionForm, "of"),
    "InForce.at": (ConditionForm, "at_fact"),
    "InForce.code": (ConditionForm, "code"),
    "Counting.count": (ConditionForm, "fact"),
    "Counting.where": (ConditionFormSet, ""),
    "Counting.at_least": (ConditionForm, "bound"),
    "Counting.at_most": (ConditionForm, "bound"),
    "Counting.code": (ConditionForm, "code"),
    **{f"Rated.{word}": (ConditionForm, "raw") for word in Rated.field_words()},
    "AnyOf.any": (ConditionFormSet, ""),
    "AnyOf.code": (ConditionForm, "code"),
    "Discount.fee": (BenefitForm, "fee"),
    "Discount.rate": (BenefitForm, "rate"),
    "Discount.currency": (BenefitForm, "currency"),
    "Discount.percent": (BenefitForm, "percent"),
    "Discount.amount": (BenefitForm, "amount"),
    "Discount.price": (BenefitForm, "price"),
    "Discount.tiers": (TierFormSet, ""),
    "Discount.slices": (SliceFormSet, ""),
    "Discount.at_most": (BenefitForm, "at_most"),
    "FactValue.fact": (BenefitForm, "fact"),
    "Discount.of": (BenefitForm, "of"),
    "Discount.by": (BenefitForm, "measure"),
    "Discount.after": (BenefitForm, "measure"),
    "MeasureValue.measure": (BenefitForm, "measure"),
    "Tier.from": (TierForm, "start"),
    "Tier.below": (TierForm, "below"),
    "Tier.percent": (TierForm, "off"),
    "Tier.amount": (TierForm, "unit"),
    "Slice.from": (SliceForm, "start"),
    "Slice.percent": (SliceForm, "percent"),
    "Coupons.coupons": (BenefitForm, "form"),
    "CouponBundle.count": (BenefitForm, "count"),
    "CouponBundle.for": (BenefitForm, "orders"),
    "CouponBundle.value": (BenefitForm, "value"),
    "CouponBundle.price": (BenefitForm, "price"),
    "CouponBundle.currency": (BenefitForm, "currency"),
    "CouponBundle.valid": (TimeForm, "at"),
    "CouponBundle.where": (ConditionFormSet, ""),
    "Validity.from": (TimeForm, "at"),
    "Validity.to": (TimeForm, "at"),
    "Quota.limit": (QuotaForm, "limit"),
    "Quota.per_merchant": (QuotaForm, "per_merchant"),
    "Band.of": (BandForm, "of"),
    "Band.at_most": (BandForm, "at_most"),
    "Band.from": (BandForm, "start"),
    "Band.currency": (BandForm, "currency"),
    "Band.per": (BandForm, "per"),
    "Band.in": (BandForm, "period"),
    "Band.last": (BandForm, "last"),
    "CalendarPeriod.calendar": (BandForm, "period"),
    "CalendarPeriod.zone": (BandForm, "zone"),
    "Settlement.at": (MomentForm, "kind"),
    "Settlement.locked_at": (SettlementForm, "locked_at"),
    "Settlement.lock_within_hours": (SettlementForm, "lock_within_hours"),
    "Settlement.fulfilled_at": (MomentForm, "kind"),
    "Settlement.deadline": (TimeForm, "at"),
    "Settlement.requires": (ConditionFormSet, ""),
    "Settlement.released_by": (SettlementForm, "released_by"),
    "Settlement.released_after_settlement": (SettlementForm, "released_after_settlement"),
    "Settlement.revoked_by": (SettlementForm, "revoked_by"),
}
