"""Account page of a member: language, time zone, notifications, address of the calendar feed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from campaigns.models import Message
from core import clock
from dashboard.messages import TABS
from dashboard.rendering import render_page
from merchants import members
from merchants.access import MemberRequest, for_members
from merchants.models import Member


def _topics() -> list[tuple[str, str]]:
    """Return the topics that a member may leave out, named as on the tabs; the marketplace's always arrive."""
    wanted = [topic for topic in Message.Topic if topic != Message.Topic.NOTE]
    return [
        (topic.value, _("%(name)s (%(meaning)s)") % {"name": TABS[topic], "meaning": topic.label}) for topic in wanted
    ]


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Language, time zone, and the topics a member wants to be notified of, by channel."""

    shown = forms.MultipleChoiceField(
        label=gettext_lazy("Show on the Messages page"),
        choices=_topics,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    mailed = forms.MultipleChoiceField(
        label=gettext_lazy("Send by email"),
        choices=_topics,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Member
        fields = ("language", "zone", "shown", "mailed")
        labels: dict[str, Any] = {"language": gettext_lazy("Email language"), "zone": gettext_lazy("Time zone")}


@for_members
def edit(request: MemberRequest) -> HttpResponse:
    """Show and change the member's preferences. Operators have none here: 403."""
    member = request.member
    if member is None:
        raise PermissionDenied
    form = PreferencesForm(request.POST or None, instance=member)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Preferences saved."))
        return redirect("account")
    return render_page(request, "dashboard/account.html", at=clock.now(), current="account", form=form)


@require_POST
@for_members
def renew_calendar(request: MemberRequest) -> HttpResponse:
    """Give the calendar feed a new secret address and show it, this once; the old one stops working."""
    if request.member is None:
        raise PermissionDenied
    secret = members.renew_calendar(request.member)
    calendar = request.build_absolute_uri(reverse("calendar", args=[secret]))
    form = PreferencesForm(instance=request.member)
    return render_page(
        request, "dashboard/account.html", at=clock.now(), current="account", form=form, calendar=calendar
    )
