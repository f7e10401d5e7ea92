"""Lists of webhook endpoints and of their deliveries, with actions on several; each has a page of its own."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.data.workflow import LinkedListAdmin
from campaigns import tasks
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhooks
from core import clock


@admin.register(Endpoint)
class EndpointAdmin(LinkedListAdmin):
    """Endpoints. `backoffice.endpoints` registers and changes them."""

    page = "backoffice:endpoint"
    list_display = ("name", "url", "merchant", "kinds", "disabled_at", "created_by")
    search_texts = ("name", "url")
    search_related = ("merchant",)
    actions = ("test", "disable", "enable")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may test, rotate, disable and enable endpoints."""
        return request.user.has_perm("campaigns.change_endpoint")

    @admin.action(description=gettext_lazy("Send test event"), permissions=["manage"])
    def test(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.test(endpoint, at=clock.real())
            self.log_change(request, endpoint, "sent a test event")
            transaction.on_commit(lambda pk=endpoint.pk: tasks.deliver.delay(pk))  # type: ignore[misc]  # bound now
        messages.info(request, _("Test event sent. See the result under Deliveries."))

    @admin.action(description=gettext_lazy("Disable"), permissions=["manage"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen:
            webhooks.disable(endpoint, at=clock.real())
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])

    @admin.action(description=gettext_lazy("Enable"), permissions=["manage"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        for endpoint in chosen.select_related("merchant"):
            try:
                webhooks.enable(endpoint)
            except webhooks.TooManyError as error:
                messages.warning(request, f"{endpoint.name}: {error}")
                continue
            self.log_change(request, endpoint, [{"changed": {"fields": ["disabled_at"]}}])


@admin.register(Delivery)
class DeliveryAdmin(LinkedListAdmin):
    """Deliveries with their result and the time of the next attempt."""

    page = "backoffice:delivery"
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
            self.log_change(request, delivery, "sent again")
            done += 1
        text = ngettext("%(n)d delivery will be sent again.", "%(n)d deliveries will be sent again.", done)
        messages.info(request, text % {"n": done})
