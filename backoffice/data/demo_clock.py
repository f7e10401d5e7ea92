"""Page that moves the clock of a demonstration; a tick then does the due work."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from campaigns import tasks
from core import clock, instants
from core.lists.admin import ListAdmin
from core.models import DemoClock

FESTIVAL_ZONE = ZoneInfo("America/Los_Angeles")
DAYS_IN_WEEK = 7


def next_monday(now: datetime) -> datetime:
    """Return the start of the next Monday in Los Angeles, where the coupon weeks of the festival begin."""
    local = now.astimezone(FESTIVAL_ZONE)
    day = local.date() + timedelta(days=DAYS_IN_WEEK - local.weekday())
    return datetime(day.year, day.month, day.day, tzinfo=FESTIVAL_ZONE).astimezone(UTC)


class MoveForm(forms.Form):
    """New time of the clock."""

    step = forms.ChoiceField(
        label=_("Move forward"),
        choices=[
            ("hour", _("1 hour")),
            ("day", _("1 day")),
            ("monday", _("to the next Monday, 00:00 in Los Angeles")),
            ("instant", _("to a date and time")),
        ],
        widget=forms.RadioSelect,
        initial="hour",
    )
    instant = forms.DateTimeField(
        validators=[instants.validate],
        label=_("Date and time (Beijing)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean(self) -> dict[str, object]:
        data: dict[str, object] = super().clean() or self.cleaned_data
        if data.get("step") == "instant" and not data.get("instant"):
            self.add_error("instant", _("Enter a date and a time."))
        return data

    def target(self, now: datetime) -> datetime:
        """Return the chosen time, relative to `now`."""
        instant: datetime | None = self.cleaned_data["instant"]
        steps = {"hour": now + timedelta(hours=1), "day": now + timedelta(days=1), "monday": next_monday(now)}
        return steps.get(self.cleaned_data["step"]) or instant or now


class ConfirmForm(forms.Form):
    """Exact time that the confirmation page showed."""

    to = forms.CharField(widget=forms.HiddenInput)

    def clean_to(self) -> datetime:
        try:
            to = datetime.fromisoformat(self.cleaned_data["to"])
        except ValueError as error:
            raise forms.ValidationError(_("This is not a date and a time.")) from error
        if to.tzinfo is None:
            raise forms.ValidationError(_("This time has no time zone."))
        return to


@admin.register(DemoClock)
class DemoClockAdmin(ListAdmin):
    """Single page in place of a list and a form; available in demonstrations only."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(settings.DEMO) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: DemoClock | None = None) -> bool:
        """Return whether the user may move the clock: the page does nothing else."""
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: DemoClock | None = None) -> bool:
        return bool(settings.DEMO) and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DemoClock | None = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return redirect("admin:core_democlock_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "to" in request.POST:
            return self._move(request)
        form = MoveForm(request.POST or None)
        now = clock.now()
        if request.method == "POST" and form.is_valid():
            return self._page(request, now=now, confirm=ConfirmForm(initial={"to": form.target(now).isoformat()}))
        return self._page(request, now=now, form=form)

    def _move(self, request: HttpRequest) -> HttpResponse:
        confirm = ConfirmForm(request.POST)
        if not confirm.is_valid():
            raise PermissionDenied  # the confirmation page sends a valid time
        try:
            clock.move(to=confirm.cleaned_data["to"])
        except clock.ClockError as refusal:
            messages.error(request, str(refusal))
        else:
            transaction.on_commit(tasks.tick.delay)
            messages.success(request, _("Clock moved. Due work is running now."))
        return redirect("admin:core_democlock_changelist")

    def _page(self, request: HttpRequest, *, now: datetime, **context: forms.Form) -> HttpResponse:
        confirm = context.get("confirm")
        target = datetime.fromisoformat(confirm.initial["to"]) if confirm else None
        page = {
            **admin.site.each_context(request),
            **context,
            "title": _("Demonstration clock"),
            "opts": DemoClock._meta,
            "now": now,
            "target": target,
            "backwards": target is not None and target < now,
            "zones": ("America/Los_Angeles", "Asia/Shanghai", "UTC"),
        }
        return render(request, "admin/core/democlock/page.html", page)
