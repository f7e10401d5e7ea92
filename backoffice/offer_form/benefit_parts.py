"""Rows of a benefit as forms: tiers, and slices of a fee."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import SectionForm, or_missing
from backoffice.offer_form.inputs import Choices, NumberField, SelectField
from backoffice.offer_form.rows import RowFormSet

TIER_UNITS: Choices = [("percent", _("%")), ("amount", _("amount"))]


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


class SliceForm(SectionForm):
    """One slice: the percentage of the part of the fee from an amount on."""

    start = NumberField(label=_("Part from"), required=False)
    percent = NumberField(label=_("Discount on this part"), required=False)
    units = {"percent": "%"}
    empty_texts = {
        "start": _("Enter a number, or remove this slice."),
        "percent": _("Enter a number, or remove this slice."),
    }

    def to_row(self) -> dict[str, Any]:
        """Return the slice for the definition."""
        return {"from": or_missing(self.written("start")), "percent": or_missing(self.written("percent"))}


class SliceFormSet(RowFormSet):
    """Slices of one benefit."""

    form = SliceForm
    first_names = ("start", "percent")


def initial_tier(tier: Any) -> dict[str, Any]:
    """Return the initial values of a tier."""
    unit = "amount" if "amount" in tier else "percent"
    return {"start": tier.get("from"), "below": tier.get("below"), "off": tier.get(unit), "unit": unit}


def initial_slice(part: Any) -> dict[str, Any]:
    """Return the initial values of a slice."""
    return {"start": part.get("from"), "percent": part.get("percent")}
