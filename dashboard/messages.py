"""Messages: what changed, newest first."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from campaigns.models import Message
from campaigns.notifications import messages
from core import clock, pagination
from dashboard.rendering import show
from merchants.access import MemberRequest, for_members


@require_GET
@for_members
def listed(request: MemberRequest) -> HttpResponse:
    """The messages to the reader; to an operator who looks on, those to the merchant's first main account."""
    member = request.member or request.merchant.members.order_by("role", "pk").first()
    mine = Message.objects.filter(member=member, shown=True).select_related("event__offer__version")
    after = request.GET.get("after", "")
    page = pagination.newest(mine, after=after)
    told = [(message, messages.says(message.event)) for message in page.rows]
    return show(request, "dashboard/messages.html", at=clock.now(), told=told, page=page)


@require_POST
@for_members
def read(request: MemberRequest) -> HttpResponse:
    """Everything told so far has been read."""
    Message.objects.filter(member=request.member, shown=True, read_at=None).update(read_at=clock.now())
    return redirect("messages")
