"""Forms of the settings: API keys and webhooks."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import OutboxEvent
from campaigns.notifications import webhook_events
from core import clock, safe_http
from core.safe_http import AddressError
from merchants.models import ApiKey, Merchant

MERCHANT_HINT = gettext_lazy("Code of a merchant, to limit it to that merchant. Empty: the whole platform.")


class MerchantField(forms.CharField):
    """Code of a merchant; its value is the merchant, or None where nothing is typed."""

    def clean(self, value: Any) -> Any:
        code = super().clean(value)
        if not code:
            return None
        found = Merchant.objects.filter(pk__in=(code, code.upper())).first()
        if found is None:
            raise forms.ValidationError(_("There is no merchant %(code)s.") % {"code": code})
        return found


def _text(**more: object) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "input", "autocomplete": "off", **more})


class KeyForm(forms.Form):
    """New API key."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=_text(),
        help_text=gettext_lazy("The program that will use it, such as “checkout”."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May"), choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    merchant = MerchantField(
        label=gettext_lazy("Merchant"), max_length=64, required=False, widget=_text(), help_text=MERCHANT_HINT
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Works until"),
        required=False,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
        help_text=gettext_lazy("End of that day. Empty: until it is revoked."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("merchant") and ApiKey.Scope.FACTS in data.get("scopes", ()):
            self.add_error("scopes", _("Facts are recorded by the platform: a merchant's key cannot have that scope."))
        return data

    def clean_expires_on(self) -> datetime | None:
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.TIME_ZONE))
        if end <= clock.real():
            raise forms.ValidationError(_("This day is over."))
        return end


class EndpointForm(forms.Form):
    """Name, address and events of a webhook."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, widget=_text())
    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"class": "input"}),
        help_text=gettext_lazy("Public address with HTTPS."),
    )
    merchant = MerchantField(
        label=gettext_lazy("Merchant"), max_length=64, required=False, widget=_text(), help_text=MERCHANT_HINT
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None selected: all but refused claims."),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["kinds"].choices = event_choices()  # type: ignore[attr-defined]  # a choice field

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            _scheme, host, port = safe_http.check(url)
            safe_http.resolve(host, port)
        except AddressError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return url


class EndpointChangeForm(EndpointForm):
    """Changes of a webhook. It keeps its merchant: deliveries that wait are those of that merchant."""

    merchant = None  # type: ignore[assignment]  # removes the field


def event_choices() -> list[tuple[str, str]]:
    """Return the kinds of events with the names by which webhooks send them."""
    return [(kind.value, f"{kind.label} ({webhook_events.NAMES[kind]})") for kind in OutboxEvent.Kind]
