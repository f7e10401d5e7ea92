"""Context that every page of the dashboard shares: the frame with its navigation and the count of unread messages."""

from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from campaigns.models import Message
from core.facts import MERCHANT
from core.formatting import city_name
from dashboard.navigation import navigation
from merchants.access import MemberRequest
from merchants.models import Member, Merchant
from ratings.models import Rating


def render_page(
    request: MemberRequest, template: str, *, at: datetime, current: str = "", **context: object
) -> HttpResponse:
    """Render a page for the request's merchant; `at` is the instant whose data it shows, `current` its link."""
    member = request.member
    unread = Message.objects.filter(member=member, shown=True, read_at=None).count() if member else 0
    shared = {
        "at": at,
        "member": member,
        "merchant": request.merchant,
        "shop": shop_name(request.merchant),
        "is_main": member is not None and member.role == Member.Role.MAIN,
        "unread": unread,
        "nav": navigation(member, current=current, unread=unread, rated=is_rated(request.merchant)),
        "city": city_name(timezone.get_current_timezone_name()),
    }
    return render(request, template, {**shared, **context})


def is_rated(merchant: Merchant) -> bool:
    """Return whether the merchant itself has ever been rated."""
    return Rating.objects.filter(subject=merchant.pk, subject_kind=MERCHANT).exists()


def redirect_back(request: MemberRequest, *, otherwise: str) -> HttpResponseRedirect:
    """Redirect to the path of this host in the form's field `next`, else to `otherwise`."""
    back = request.POST.get("next", "")
    inside = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if inside else otherwise)


def shop_name(merchant: Merchant) -> tuple[str, str]:
    """Return the merchant's name in the language in force, else the other one, and the language that it is in."""
    names = [(merchant.name, "zh-Hans"), (merchant.name_en, "en")]
    if not (get_language() or "").startswith("zh"):
        names.reverse()
    return next((each for each in names if each[0]), (merchant.code, ""))
