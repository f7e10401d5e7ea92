"""Lists of what merchants have of each allowance, of their uses, and of the journal of both."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from campaigns.models import Allowance, AllowanceEntry, UsageDecision
from core.admin import ReadOnlyAdmin
from core.formatting import format_number
from core.lists.filters import DateRange


@admin.register(Allowance)
class AllowanceAdmin(ReadOnlyAdmin):
    """Allowances that were collected or used, with what is left."""

    list_display = ("document", "merchant", "period", "units", "used", "left", "collected_at", "ends_at")
    list_select_related = ("document", "merchant")
    list_filter = ("document", "period", ("ends_at", DateRange))
    search_fields = ("merchant__code", "request_no")
    ordering = ("-ends_at", "document", "merchant")

    @admin.display(description=gettext_lazy("left"))
    def left(self, row: Allowance) -> str:
        return format_number(row.left)


@admin.register(UsageDecision)
class UsageDecisionAdmin(ReadOnlyAdmin):
    """Uses with their results."""

    list_display = ("usage", "merchant", "use", "used_at", "result", "document", "taken", "returned")
    list_select_related = ("usage", "merchant", "document")
    list_filter = ("result", "use", ("used_at", DateRange))
    search_fields = ("usage__usage_no", "merchant__code")
    ordering = ("-used_at", "-usage")


@admin.register(AllowanceEntry)
class AllowanceEntryAdmin(ReadOnlyAdmin):
    """Journal of allowances, newest first."""

    list_display = ("at", "document", "merchant", "period", "kind", "units", "reference", "by", "reason")
    list_select_related = ("document", "merchant")
    list_filter = ("kind", "document", ("at", DateRange))
    search_fields = ("merchant__code", "reference")
    ordering = ("-pk",)
