"""Messages to the reader, newest first."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from campaigns.models import Message
from campaigns.notifications import message_texts
from core import clock, pagination
from dashboard.rendering import render_page
from merchants.access import MemberRequest, for_members


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """List the reader's messages; operators see those of the merchant's first main account."""
    member = request.member or request.merchant.members.order_by("role", "pk").first()
    rows = Message.objects.filter(member=member, shown=True).select_related("event__offer__version")
    page = pagination.newest(rows, after=request.GET.get("after", ""))
    texts = [(message, message_texts.describe(message.event)) for message in page.rows]
    return render_page(request, "dashboard/messages.html", at=clock.now(), messages_with_text=texts, page=page)


@require_POST
@for_members
def mark_all_read(request: MemberRequest) -> HttpResponse:
    """Mark every message of the reader as read."""
    Message.objects.filter(member=request.member, shown=True, read_at=None).update(read_at=clock.now())
    return redirect("messages")
