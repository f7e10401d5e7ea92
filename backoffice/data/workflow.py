"""Lists of drafts, simulations, revocations, closed months and audit events."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice import tones as state_tones
from campaigns.models import AccountingPeriod, AuditEvent, Draft, Revocation, Simulation
from campaigns.offers import drafts
from core.admin import ReadOnlyAdmin
from core.lists.filters import DateRange
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
    list_title = gettext_lazy("Drafts")
    list_intro = gettext_lazy("Campaigns that are being written, wait for approval, or were launched.")
    list_views = (
        (gettext_lazy("All"), ""),
        *((status.label, f"status__exact={status.value}") for status in Draft.Status),
    )
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
    list_title = gettext_lazy("Simulations")
    list_intro = gettext_lazy("Drafts tried on past orders: what they would have granted, and what it would have cost.")
    list_display = ("draft_title", "status", "until", "asked_by", "asked_at", "ended_at")
    more_columns = ("days",)
    tones = {"status": state_tones.SIMULATION}
    list_select_related = ("draft",)
    list_filter = ("status",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("source", "base", "table", "result")

    @admin.display(description=gettext_lazy("draft"), ordering="draft__title")
    def draft_title(self, simulation: Simulation) -> str:
        return simulation.draft.title


@admin.register(Revocation)
class RevocationAdmin(LinkedListAdmin):
    """Proposed and decided revocations."""

    page = "backoffice:revocation"
    list_display = ("title", "status", "reason", "proposed_by", "proposed_at", "ended_by", "revoked")
    tones = {"status": state_tones.REVOCATION}
    list_filter = ("status", ("proposed_at", DateRange))
    search_texts = ("title", "reason")
    ordering = ("-pk",)


@admin.register(Block)
class BlockAdmin(LinkedListAdmin):
    """Blocks of merchants, proposed, in force and over."""

    page = "backoffice:block"
    list_display = ("merchant", "kind", "status", "starts_at", "ends_at", "reason", "proposed_by")
    more_columns = ("ended_by",)
    tones = {"status": state_tones.BLOCK}
    list_select_related = ("merchant",)
    list_filter = ("status", "kind", ("starts_at", DateRange))
    search_texts = ("reason",)
    search_related = ("merchant",)
    ordering = ("-pk",)


@admin.register(AccountingPeriod)
class AccountingPeriodAdmin(ReadOnlyAdmin):
    """Months whose statement is final."""

    list_display = ("month", "zone", "closed_by", "closed_at")
    ordering = ("-month",)


class ActorFilter(admin.SimpleListFilter):
    """Filter for the acts of one person or program."""

    title = gettext_lazy("person")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the staff, and the chosen actor if it is a program."""
        names = list(User.objects.filter(is_staff=True).order_by("username").values_list("username", flat=True)[:200])
        chosen = request.GET.get(self.parameter_name, "")
        return [(name, name) for name in dict.fromkeys([*names, chosen]) if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(by=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Audit log, newest first, read-only."""

    list_title = gettext_lazy("Audit log")
    list_intro = gettext_lazy("Who did what, when and why. Entries are never changed or deleted.")
    list_display = ("at", "verb", "offer", "draft", "by", "reason")
    more_columns = ("before", "after")
    list_select_related = ("offer", "draft")
    list_filter = ("verb", ActorFilter, "offer", ("at", DateRange))
    search_codes = ("by",)
    search_texts = ("draft__title",)
    search_related = ("offer",)
    ordering = ("-pk",)
