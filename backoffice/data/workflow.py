"""Lists of drafts, simulations, revocations, closed months and audit events."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import AccountingPeriod, AuditEvent, Draft, Revocation, Simulation
from campaigns.offers import drafts
from core.admin import ReadOnlyAdmin
from merchants.models import Block


class LinkedListAdmin(ReadOnlyAdmin):
    """List whose rows link to a page of the workspace, named by `page`."""

    page = ""

    def change_view(self, request: HttpRequest, object_id: str, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return redirect(self.page, object_id)
        except NoReverseMatch as error:  # not a number
            raise Http404 from error

    def link(self, text: str, pk: object) -> SafeString:
        """Return a link to the page of a row."""
        return format_html('<a href="{}">{}</a>', reverse(self.page, args=[pk]), text)


@admin.register(Draft)
class DraftAdmin(LinkedListAdmin):
    """Drafts."""

    page = "backoffice:draft"
    list_display = ("title", "state", "writers", "submitted_by", "approved_by", "changed_at")
    list_filter = ("status",)
    search_texts = ("title",)
    ordering = ("-changed_at",)
    change_list_template = "backoffice/draft_list.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Mark the drafts of the page whose campaign was published anew: with one query for all."""
        page = super().get_changelist_instance(request)
        outdated = drafts.out_of_date(page.result_list)
        for draft in page.result_list:
            draft.is_outdated = draft.pk in outdated
        return page

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, draft: Draft) -> str:
        status = draft.get_status_display()
        outdated = getattr(draft, "is_outdated", False)
        return _("%(status)s, out of date") % {"status": status} if outdated else status

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=gettext_lazy("authors"))
    def writers(self, draft: Draft) -> str:
        return ", ".join(draft.authors)


@admin.register(Simulation)
class SimulationAdmin(LinkedListAdmin):
    """Simulations of drafts."""

    page = "backoffice:simulation"
    list_display = ("draft", "status", "until", "days", "asked_by", "asked_at", "ended_at")
    list_select_related = ("draft",)
    list_filter = ("status",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("source", "base", "table", "result")


@admin.register(Revocation)
class RevocationAdmin(LinkedListAdmin):
    """Proposed and decided revocations."""

    page = "backoffice:revocation"
    list_display = ("title", "status", "reason", "proposed_by", "proposed_at", "ended_by", "revoked")
    list_filter = ("status",)
    search_texts = ("title", "reason")
    ordering = ("-pk",)


@admin.register(Block)
class BlockAdmin(LinkedListAdmin):
    """Blocks of merchants, proposed, in force and over."""

    page = "backoffice:block"
    list_display = ("merchant", "kind", "status", "starts_at", "ends_at", "reason", "proposed_by", "ended_by")
    list_select_related = ("merchant",)
    list_filter = ("status", "kind")
    search_texts = ("reason",)
    search_related = ("merchant",)
    ordering = ("-pk",)


@admin.register(AccountingPeriod)
class AccountingPeriodAdmin(ReadOnlyAdmin):
    """Months whose statement is final."""

    list_display = ("month", "zone", "closed_by", "closed_at")
    ordering = ("-month",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Audit log, newest first, read-only."""

    list_display = ("at", "verb", "offer", "draft", "by", "reason")
    list_select_related = ("offer", "draft")
    list_filter = ("verb",)
    search_codes = ("by",)
    search_texts = ("draft__title",)
    search_related = ("offer",)
    ordering = ("-pk",)
