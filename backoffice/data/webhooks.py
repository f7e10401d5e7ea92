"""Webhooks in the admin: made, tried, given a new secret; every delivery to look at and to send again."""

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
from campaigns.notifications import webhooks
from core import clock, safe_http
from core.admin import ReadOnlyAdmin
from core.safe_http import AddressError


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Who wants to hear of what, where."""

    url = forms.URLField(label=gettext_lazy("Address"), max_length=500, assume_scheme="https")
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events; none chosen means all"),
        choices=OutboxEvent.Kind.choices,
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
    """Addresses that events are sent to. The secret is shown once, when it is made."""

    list_display = ("name", "url", "merchant_id", "kinds", "disabled_at", "created_by")
    search_fields = ("name", "url")
    fields = ("name", "url", "merchant_id", "kinds", "created_by", "created_at", "disabled_at", "old_until")
    raw_id_fields = ("merchant",)
    actions = ("test", "rotate", "disable", "enable")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.add_endpoint")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may try, rotate, disable and enable."""
        return request.user.has_perm("campaigns.change_endpoint")

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        return super().get_fields(request, obj) if obj else EndpointForm.Meta.fields

    def get_form(self, request: HttpRequest, obj: Endpoint | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = EndpointForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Endpoint:
        by = request.user.get_username()
        made = webhooks.register(**form.cleaned_data, at=clock.real(), by=by)
        self._show_secret(request, made)
        return made

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        """Nothing: it is saved when it is registered."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing either."""

    def _show_secret(self, request: HttpRequest, endpoint: Endpoint) -> None:
        text = _("The secret of %(name)s, shown this once: %(secret)s")
        messages.warning(request, text % {"name": endpoint.name, "secret": endpoint.secret})

    @admin.action(description=gettext_lazy("Send a test"), permissions=["manage"])
    def test(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.test(endpoint, at=clock.real())
            transaction.on_commit(lambda pk=endpoint.pk: tasks.deliver.delay(pk))  # type: ignore[misc]  # bound now
        messages.info(request, _("Sent. What came of it stands among the deliveries."))

    @admin.action(description=gettext_lazy("New secret; the old one signs for 24 hours too"), permissions=["manage"])
    def rotate(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.rotate(endpoint, at=clock.real())
            self.log_change(request, endpoint, [{"changed": {"fields": ["secret"]}}])
            self._show_secret(request, endpoint)

    @admin.action(description=gettext_lazy("Disable: send nothing more there"), permissions=["manage"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.disable(endpoint, at=clock.real())
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])

    @admin.action(description=gettext_lazy("Enable: send there again"), permissions=["manage"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.enable(endpoint)
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was sent to whom, what came of it, and when it is tried next."""

    list_display = ("key", "endpoint", "event", "tries", "status", "error", "delivered_at", "due_at")
    list_select_related = ("endpoint", "event")
    list_filter = ("endpoint", "status")
    search_fields = ("key__exact",)
    ordering = ("-pk",)
    actions = ("replay",)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may send again."""
        return request.user.has_perm("campaigns.change_endpoint")

    @admin.action(description=gettext_lazy("Send again, under the same webhook-id"), permissions=["manage"])
    def replay(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        done = 0
        for delivery in chosen:
            webhooks.replay(delivery, at=clock.real())
            done += 1
        text = ngettext("%(n)d delivery is sent again.", "%(n)d deliveries are sent again.", done)
        messages.info(request, text % {"n": done})
