"""Filters of the list of orders: part of the number, dates, and whether an order has a benefit."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Coupon, Grant
from core.db.fields import LONGEST_KEY
from core.keys import normalize_key
from merchants.models import Merchant

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MOST_NUMBERS = 50
BENEFITS = [
    ("", gettext_lazy("all")),
    ("with", gettext_lazy("with a benefit")),
    ("without", gettext_lazy("without a benefit")),
]


class OrderFilterForm(forms.Form):
    """Filters in the address of the list."""

    q = forms.CharField(label=gettext_lazy("Number"), required=False, max_length=LONGEST_KEY)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=DATE)
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=DATE)
    benefit = forms.ChoiceField(label=gettext_lazy("Benefit"), required=False, choices=BENEFITS)

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        chosen = super().clean() or {}
        if chosen.get("since") and chosen.get("until") and chosen["since"] > chosen["until"]:
            self.add_error("until", _("The end is before the start."))
        return chosen

    @property
    def is_used(self) -> bool:
        """Return whether any filter is set."""
        return bool(self.numbers) or (self.is_valid() and any(self.cleaned_data.values()))

    @property
    def numbers(self) -> list[str]:
        """The orders to which a link from another page limits the list."""
        given = self.data.getlist("number") if isinstance(self.data, QueryDict) else []
        return [normalize_key(number) for number in given[:MOST_NUMBERS]]

    @property
    def number(self) -> str:
        """The number looked for, as keys are written; empty if the filters are faulty or ask for none."""
        return normalize_key(self.cleaned_data.get("q", "")) if self.is_valid() else ""

    def apply(self, rows: "QuerySet[Any]", merchant: Merchant, kind: str) -> "QuerySet[Any]":
        """Return the rows of a subject `kind` that pass the filters; days are those of the reader's clock.

        Faulty filters do nothing.
        """
        chosen = self.cleaned_data if self.is_valid() else {}
        if self.numbers:
            rows = rows.filter(pk__in=self.numbers)
        if self.number:
            rows = rows.filter(pk__icontains=self.number)
        if chosen.get("since"):
            rows = rows.filter(listed_at__gte=_midnight(chosen["since"]))
        if chosen.get("until"):
            rows = rows.filter(listed_at__lt=_midnight(chosen["until"] + timedelta(days=1)))
        if chosen.get("benefit"):
            has_benefit = _has_benefit(merchant, kind)
            rows = rows.filter(has_benefit if chosen["benefit"] == "with" else ~has_benefit)
        return rows


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _has_benefit(merchant: Merchant, kind: str) -> Any:
    """Return the condition that an order of a kind has a live grant, or a coupon."""
    grants = Grant.objects.filter(merchant=merchant, subject=OuterRef("pk"), status__in=Grant.LIVE)
    return Exists(grants) | Exists(Coupon.objects.filter(merchant=merchant, order_kind=kind, order_no=OuterRef("pk")))
