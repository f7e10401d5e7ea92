"""List of the subjects, merchants and offers in quarantine."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from campaigns.engine import quarantine_entries
from campaigns.models import QuarantineEntry
from core.admin import ReadOnlyAdmin


@admin.register(QuarantineEntry)
class QuarantineEntryAdmin(ReadOnlyAdmin):
    """Subjects, merchants and offers that ticks leave out until they are tried again, with the error of each."""

    list_display = ("__str__", "stage", "error", "since", "attempts", "retry_at")
    list_filter = ("kind", "stage")
    search_codes = ("key",)
    search_related = ("merchant",)
    ordering = ("-id",)
    actions = ("try_again",)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may have entries tried again."""
        return request.user.has_perm("campaigns.change_quarantineentry")

    @admin.action(description=gettext_lazy("Try again now"), permissions=["manage"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[QuarantineEntry]) -> None:
        """Let the next tick try the selected entries again."""
        for entry in chosen.exclude(retry_at=None):
            self.log_change(request, entry, [{"changed": {"fields": ["retry_at"]}}])
        n = quarantine_entries.try_again(chosen)
        text = ngettext("The next tick tries %(n)d entry again.", "The next tick tries %(n)d entries again.", n)
        messages.success(request, text % {"n": n})
