"""Access to the merchants' dashboard: every request is for one merchant, which is decided here before the view runs."""

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from merchants.models import Member, Merchant

SEEN = "seen_merchant"
"""Session key: the code of the merchant whose dashboard an operator views."""
SEE = "merchants.see_as_member"


class MemberRequest(HttpRequest):
    """Request for one merchant, by a member or by an operator who views the dashboard; then `member` is None."""

    merchant: Merchant
    member: Member | None


View = Callable[..., HttpResponseBase]


def for_members(view: View) -> View:
    """Restrict a view to members, for their merchant, and to operators who view a merchant's dashboard, without acting.

    Visitors are sent to sign in, other operators to the admin. Everyone else gets 403.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        member = member_of(user)
        merchant = member.merchant if member else seen_by(request)
        if merchant is None:
            return _redirect_operator(request)
        if member is None and request.method not in ("GET", "HEAD"):
            raise PermissionDenied  # operators view, only members act
        request.member, request.merchant = member, merchant  # type: ignore[attr-defined]  # makes it a MemberRequest
        with timezone.override(ZoneInfo(member.zone if member else Member.Zone.BEIJING)):
            response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return guarded


def for_main_accounts(view: View) -> View:
    """Restrict a view like `for_members`, and to main accounts: 403 for sub-accounts."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.member is not None and request.member.role != Member.Role.MAIN:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return for_members(guarded)


def member_of(user: AbstractBaseUser | AnonymousUser) -> Member | None:
    """Return the member of a user, None where there is none or it is disabled."""
    member: Member | None = getattr(user, "member", None)  # loaded with the user by `merchants.backends`
    return None if member is None or member.disabled_at else member


def is_disabled(user: User) -> bool:
    """Return True for a disabled member. An operator who is also a member loses the merchant's pages alone."""
    member: Member | None = getattr(user, "member", None)
    return member is not None and member.disabled_at is not None and not user.is_staff


def may_see_dashboards(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return True for an operator who may view the dashboards of merchants."""
    return isinstance(user, User) and user.is_staff and user.has_perm(SEE)


def seen_by(request: HttpRequest) -> Merchant | None:
    """Return the merchant whose dashboard an operator views, None without the permission to view dashboards."""
    code = request.session.get(SEEN)
    if code is None or not may_see_dashboards(request.user):
        return None
    return Merchant.objects.filter(pk=code).first()


def _redirect_operator(request: HttpRequest) -> HttpResponse:
    if request.user.is_staff:
        return redirect("admin:index")
    raise PermissionDenied
