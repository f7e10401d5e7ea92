"""What the engine did."""

from django.contrib import admin

from campaigns.admin.looking import LookingAdmin
from campaigns.models import Run


@admin.register(Run)
class RunAdmin(LookingAdmin):
    """Ticks, newest first."""

    list_display = ("id", "at", "started_at", "finished_at", "decided", "moved", "issued")
    ordering = ("-id",)
