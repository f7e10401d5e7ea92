"""Lists of tick runs and their steps."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from campaigns.engine import quarantine
from campaigns.models import TickRun, TickStep
from core.admin import ReadOnlyAdmin


@admin.register(TickRun)
class TickRunAdmin(ReadOnlyAdmin):
    """Ticks, newest first."""

    list_display = ("id", "at", "started_at", "finished_at", "decided", "moved", "issued", "skipped_steps")
    ordering = ("-id",)


@admin.register(TickStep)
class TickStepAdmin(ReadOnlyAdmin):
    """Steps of ticks. A step that stopped its worker several times is quarantined until somebody retries it."""

    list_display = ("__str__", "tries", "tried_at")
    ordering = ("-tries", "name")
    actions = ("try_again",)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry steps."""
        return request.user.has_perm("campaigns.change_tickstep")

    @admin.action(description=gettext_lazy("Retry"), permissions=["manage"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[TickStep]) -> None:
        """Release the selected steps from quarantine; the next tick runs them."""
        for step in chosen.filter(pk__in=quarantine.set_aside()):
            self.log_change(request, step, [{"changed": {"fields": ["tries"]}}])
        n = quarantine.try_again(chosen)
        text = ngettext("The next run retries %(n)d job.", "The next run retries %(n)d jobs.", n)
        messages.success(request, text % {"n": n})
