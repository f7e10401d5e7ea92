"""Every request of the merchants' door belongs to one merchant: decided here, once, before anything is asked."""

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from merchants.models import Member, Merchant

SEEN = "seen_merchant"
"""In an operator's session: the code of the merchant whose dashboard is being looked at."""
SEE = "merchants.see_as_member"


class MemberRequest(HttpRequest):
    """A request of somebody who may see one merchant: a member, or an operator who looks on (`member` is None)."""

    merchant: Merchant
    member: Member | None


View = Callable[..., HttpResponseBase]


def for_members(view: View) -> View:
    """Let in members, as their merchant, and operators who opened a merchant's dashboard, to look only.

    Others are sent to sign in; a signed-in user who is neither is sent to the operators' door.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        member = member_of(user)
        merchant = member.merchant if member else seen_by(request)
        if merchant is None:
            return _nobody(request)
        if member is None and request.method not in ("GET", "HEAD"):
            raise PermissionDenied  # operators look, members act
        request.member, request.merchant = member, merchant  # type: ignore[attr-defined]  # makes it a MemberRequest
        with timezone.override(ZoneInfo(member.zone if member else Member.Zone.BEIJING)):
            response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return guarded


def for_main_accounts(view: View) -> View:
    """As `for_members`, and only main accounts may change anything; 403 for others."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.member is not None and request.member.role != Member.Role.MAIN:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return for_members(guarded)


def member_of(user: AbstractBaseUser | AnonymousUser) -> Member | None:
    """The member that signed in, if it is one and not disabled."""
    found = Member.objects.select_related("merchant", "user").filter(user=user.pk, disabled_at=None)
    return found.first()


def seen_by(request: HttpRequest) -> Merchant | None:
    """The merchant whose dashboard an operator with the right has opened."""
    code = request.session.get(SEEN)
    if code is None or not request.user.has_perm(SEE):
        return None
    return Merchant.objects.filter(pk=code).first()


def _nobody(request: HttpRequest) -> HttpResponse:
    if request.user.is_staff:
        return redirect("admin:index")
    raise PermissionDenied
