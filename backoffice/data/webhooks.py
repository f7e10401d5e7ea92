"""Webhook endpoints (create, test, rotate, disable) and their deliveries (list, send again)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns import tasks
from campaigns.models import Delivery, Endpoint, OutboxEvent
from campaigns.notifications import webhook_events, webhooks
from core import clock, safe_http
from core.admin import ReadOnlyAdmin
from core.safe_http import AddressError


def event_choices() -> list[tuple[str, str]]:
    """Return the kinds of events with the names by which webhooks send them."""
    return [(kind.value, f"{kind.label} ({webhook_events.NAMES[kind]})") for kind in OutboxEvent.Kind]


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """New endpoint: address, merchant and kinds of events."""

    url = forms.URLField(label=gettext_lazy("Address"), max_length=500, assume_scheme="https")
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events (none selected: all but refused claims)"),
        choices=event_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Endpoint
        fields = ("name", "url", "merchant", "kinds")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            _scheme, host, port = safe_http.check(url)
            safe_http.resolve(host, port)
        except AddressError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return url


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Endpoints. The secret is shown only once, when it is created."""

    list_display = ("name", "url", "merchant", "kinds", "disabled_at", "created_by")
    search_texts = ("name", "url")
    search_related = ("merchant",)
    fields = ("name", "url", "merchant_code", "kinds", "created_by", "created_at", "disabled_at", "old_until")
    raw_id_fields = ("merchant",)
    actions = ("test", "rotate", "disable", "enable")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.add_endpoint")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may test, rotate, disable and enable endpoints."""
        return request.user.has_perm("campaigns.change_endpoint")

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        return super().get_fields(request, obj) if obj else EndpointForm.Meta.fields

    def get_form(
        self, request: HttpRequest, obj: Endpoint | None = None, change: bool = False, **kwargs: object
    ) -> Any:
        if obj is None:
            kwargs["form"] = EndpointForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Endpoint:
        by = request.user.get_username()
        endpoint = webhooks.register(**form.cleaned_data, at=clock.real(), by=by)
        self._show_secret(request, endpoint)
        return endpoint

    def save_model(self, request: HttpRequest, obj: Endpoint, form: object, change: bool) -> None:
        """Do nothing: `webhooks.register` has saved the endpoint."""

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Do nothing: an endpoint has no related rows."""

    def _show_secret(self, request: HttpRequest, endpoint: Endpoint) -> None:
        text = _("Secret of %(name)s, shown only once: %(secret)s")
        messages.warning(request, text % {"name": endpoint.name, "secret": endpoint.secret})

    @admin.action(description=gettext_lazy("Send test event"), permissions=["manage"])
    def test(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.test(endpoint, at=clock.real())
            transaction.on_commit(lambda pk=endpoint.pk: tasks.deliver.delay(pk))  # type: ignore[misc]  # bound now
        messages.info(request, _("Test event sent. See the result under Deliveries."))

    @admin.action(
        description=gettext_lazy("Rotate secret (the old one stays valid for 24 hours)"), permissions=["manage"]
    )
    def rotate(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.rotate(endpoint, at=clock.real())
            self.log_change(request, endpoint, [{"changed": {"fields": ["secret"]}}])
            self._show_secret(request, endpoint)

    @admin.action(description=gettext_lazy("Disable"), permissions=["manage"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.disable(endpoint, at=clock.real())
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])

    @admin.action(description=gettext_lazy("Enable"), permissions=["manage"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.enable(endpoint)
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries with their result and the time of the next attempt."""

    list_display = ("key", "endpoint", "event", "tries", "status", "error", "delivered_at", "due_at")
    list_select_related = ("endpoint", "event")
    list_filter = ("endpoint", "status")
    search_codes = ("key",)
    search_texts = ("endpoint__name",)
    ordering = ("-pk",)
    actions = ("replay",)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may send deliveries again."""
        return request.user.has_perm("campaigns.change_endpoint")

    @admin.action(description=gettext_lazy("Send again (same webhook-id)"), permissions=["manage"])
    def replay(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        done = 0
        for delivery in chosen:
            webhooks.replay(delivery, at=clock.real())
            done += 1
        text = ngettext("%(n)d delivery will be sent again.", "%(n)d deliveries will be sent again.", done)
        messages.info(request, text % {"n": done})
