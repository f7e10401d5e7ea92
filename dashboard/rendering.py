"""What every page of the dashboard has around its contents."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from campaigns.models import Message
from merchants.access import MemberRequest
from merchants.models import Member


def show(request: MemberRequest, template: str, *, at: datetime, status: int = 200, **context: Any) -> HttpResponse:
    """The page for a merchant as of `at`, with how many messages its reader has not read."""
    member = request.member
    frame = {
        "at": at,
        "member": member,
        "merchant": request.merchant,
        "is_main": member is not None and member.role == Member.Role.MAIN,
        "unread": Message.objects.filter(member=member, shown=True, read_at=None).count() if member else 0,
        "here": request.get_full_path(),
    }
    return render(request, template, {**frame, **context}, status=status)
