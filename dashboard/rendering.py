"""Context that every page of the dashboard shares: header, navigation, count of unread messages."""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render

from campaigns.models import Message
from merchants.access import MemberRequest
from merchants.models import Member


def render_page(request: MemberRequest, template: str, *, at: datetime, **context: object) -> HttpResponse:
    """Render a page for the request's merchant; `at` is the instant whose data it shows."""
    member = request.member
    shared = {
        "at": at,
        "member": member,
        "merchant": request.merchant,
        "is_main": member is not None and member.role == Member.Role.MAIN,
        "unread": Message.objects.filter(member=member, shown=True, read_at=None).count() if member else 0,
    }
    return render(request, template, {**shared, **context})
