"""What the engine did, and what it gave up."""

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
    """Parts of each tick. One that ended its worker several times is set aside until somebody has it tried again."""

    list_display = ("__str__", "tries", "tried_at")
    ordering = ("-tries", "name")
    actions = ("try_again",)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may have a step tried again."""
        return request.user.has_perm("campaigns.change_tickstep")

    @admin.action(description=gettext_lazy("Have them tried again"), permissions=["manage"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[TickStep]) -> None:
        """The next tick tries them."""
        for step in chosen.filter(pk__in=quarantine.set_aside()):
            self.log_change(request, step, [{"changed": {"fields": ["tries"]}}])
        n = quarantine.try_again(chosen)
        text = ngettext("The next tick tries %(n)d step again.", "The next tick tries %(n)d steps again.", n)
        messages.success(request, text % {"n": n})
