"""Team page: a main account invites sub-accounts of its merchant, sets their permission, disables and enables them."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core import clock
from dashboard.rendering import render_page
from merchants import invitations, members
from merchants.access import MemberRequest, for_main_accounts
from merchants.members import MemberError
from merchants.models import Member


class InviteForm(forms.Form):
    """Invitation of a sub-account."""

    email = forms.EmailField(label=gettext_lazy("Email address"), max_length=150)
    may_attach = forms.BooleanField(label=gettext_lazy("Can use coupons for orders"), required=False, initial=True)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES, initial="zh-hans")


@for_main_accounts
def index(request: MemberRequest) -> HttpResponse:
    """List the merchant's members and invite a new one."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _invited(request, form):
        return redirect("team")
    people = request.merchant.members.select_related("user").order_by("role", "pk")
    return render_page(request, "dashboard/team.html", at=clock.now(), current="team", people=people, form=form)


def _invited(request: MemberRequest, form: InviteForm) -> bool:
    by = cast(User, request.user)
    try:
        invitations.count(form.cleaned_data["email"], by=by, at=clock.real())
        member = invitations.invite(**form.cleaned_data, to=request.merchant, at=clock.now(), by=by)
    except MemberError as refusal:
        form.add_error("email", str(refusal))
        return False
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": member.user.email})
    return True


@require_POST
@for_main_accounts
def change(request: MemberRequest, number: int, action: str) -> HttpResponse:
    """Apply an action to a sub-account: `disable`, `enable`, `look`, `attach`, `invite` (again) or `withdraw`."""
    by = request.member
    member = request.merchant.members.select_related("user").filter(pk=number).first()
    if by is None:
        raise PermissionDenied
    if member is None:
        raise Http404
    try:
        if action == "disable" and "confirmed" not in request.POST:
            members.check_may_change(member, by)
            return render_page(request, "dashboard/team_disable.html", at=clock.now(), current="team", person=member)
        _apply(request, member, action, by)
    except MemberError as refusal:
        messages.error(request, str(refusal))
    return redirect("team")


def _apply(request: MemberRequest, member: Member, action: str, by: Member) -> None:
    match action:
        case "disable":
            members.disable(member, at=clock.now(), by=by)
        case "enable":
            members.enable(member, by=by)
        case "look" | "attach":
            members.limit(member, may_attach=action == "attach", by=by)
        case "invite":
            members.check_may_change(member, by)
            invitations.count(member.user.email, by=by.user, at=clock.real())
            invitations.resend(member)
            messages.success(request, _("Invitation sent to %(email)s.") % {"email": member.user.email})
        case "withdraw":
            email = member.user.email
            invitations.withdraw(member, by=by)
            messages.success(request, _("Invitation of %(email)s withdrawn.") % {"email": email})
        case _:
            raise Http404
