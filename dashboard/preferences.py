"""One's own account: language, time zone, what to be told of and how, the calendar's address."""

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
from dashboard.rendering import show
from merchants import members
from merchants.access import MemberRequest, for_members
from merchants.models import Member


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """How a member reads, and what it wants to be told of."""

    shown = forms.MultipleChoiceField(
        label=gettext_lazy("Tell me on the messages page"), choices=Message.Topic.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    mailed = forms.MultipleChoiceField(
        label=gettext_lazy("Tell me by e-mail"), choices=Message.Topic.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = Member
        fields = ("language", "zone", "shown", "mailed")
        labels: dict[str, Any] = {"language": gettext_lazy("Language of e-mail"), "zone": gettext_lazy("Time zone")}


@for_members
def page(request: MemberRequest) -> HttpResponse:
    """See and change one's preferences."""
    member = request.member
    if member is None:
        raise PermissionDenied
    form = PreferencesForm(request.POST or None, instance=member)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your preferences were kept."))
        return redirect("account")
    calendar = request.build_absolute_uri(reverse("calendar", args=[member.calendar_key]))
    return show(request, "dashboard/account.html", at=clock.now(), form=form, calendar=calendar)


@require_POST
@for_members
def renew_calendar(request: MemberRequest) -> HttpResponse:
    """Make the calendar's old address useless."""
    if request.member is None:
        raise PermissionDenied
    members.renew_calendar(request.member)
    messages.success(request, _("The calendar has a new address; the old one leads nowhere."))
    return redirect("account")
