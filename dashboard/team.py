"""The team: a main account invites others of its merchant, limits them, shuts them out and lets them in again."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core import clock
from dashboard.rendering import show
from merchants import members
from merchants.access import MemberRequest, for_main_accounts
from merchants.members import MemberError
from merchants.models import Member


class InviteForm(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=150)
    may_attach = forms.BooleanField(label=gettext_lazy("May attach coupons to orders"), required=False, initial=True)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES, initial="zh-hans")


@for_main_accounts
def page(request: MemberRequest) -> HttpResponse:
    """Everyone who acts for the merchant, and whom to invite."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _invited(request, form):
        return redirect("team")
    people = request.merchant.members.select_related("user").order_by("role", "pk")
    return show(request, "dashboard/team.html", at=clock.now(), people=people, form=form)


def _invited(request: MemberRequest, form: InviteForm) -> bool:
    try:
        at, by = clock.now(), str(request.member)
        member = members.invite(**form.cleaned_data, to=request.merchant, at=at, by=by)
    except MemberError as refusal:
        form.add_error("email", str(refusal))
        return False
    messages.success(request, _("An invitation was sent to %(email)s.") % {"email": member.user.email})
    return True


@require_POST
@for_main_accounts
def change(request: MemberRequest, number: int, what: str) -> HttpResponse:
    """Limit, widen, disable or enable a sub-account, or send its invitation again."""
    by = request.member
    member = request.merchant.members.select_related("user").filter(pk=number).first()
    if by is None:
        raise PermissionDenied
    if member is None:
        raise Http404
    try:
        _change(request, member, what, by)
    except MemberError as refusal:
        messages.error(request, str(refusal))
    return redirect("team")


def _change(request: MemberRequest, member: Member, what: str, by: Member) -> None:
    match what:
        case "disable":
            members.disable(member, at=clock.now(), by=by)
        case "enable":
            members.enable(member, by=by)
        case "look" | "attach":
            members.limit(member, may_attach=what == "attach", by=by)
        case "invite" if member.user.last_login is None:
            members.send_invitation(member)
            messages.success(request, _("An invitation was sent to %(email)s.") % {"email": member.user.email})
        case _:
            raise Http404
