"""Messages to the reader, newest first by the time of what happened, grouped by day."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from babel.dates import format_date
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.models import Coupon, Message, OutboxEvent
from campaigns.notifications import message_texts
from campaigns.offers.published_offers import terms_of
from core import clock, pagination
from core.facts import Label
from core.formatting import babel_locale
from dashboard.order_types import list_of
from dashboard.rendering import redirect_back, render_page
from merchants.access import MemberRequest, for_members

UNREAD = "unread"
Topic = Message.Topic


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """List the reader's messages, all, unread or of one topic; operators see those of the first main account."""
    member = request.member or request.merchant.members.order_by("role", "pk").first()
    wanted = request.GET.get("show", "")
    if wanted not in ("", UNREAD, *Topic.values):
        raise Http404
    rows = _with_order_kind(Message.objects.filter(member=member, shown=True))
    if wanted:
        rows = rows.filter(read_at=None) if wanted == UNREAD else rows.filter(topic=wanted)
    rows = rows.select_related("event__offer__version", "note", "allowance__document")
    rows = rows.annotate(happened_at=Coalesce("event__at", "note__at", "allowance__sent_at"))
    page = pagination.newest_by("happened_at", rows, after=request.GET.get("after", ""))
    context = {
        "days": [(_day_name(day), list(group)) for day, group in groupby(map(_entry, page.rows), key=_day)],
        "page": page,
        "wanted": wanted,
        "topics": [(topic.value, label) for topic, label in TABS.items()],
    }
    return render_page(request, "dashboard/messages.html", at=clock.now(), current="messages", **context)


TABS: dict[Topic, Label] = {
    Topic.GRANTED: gettext_lazy("Granted"),
    Topic.ISSUED: gettext_lazy("Coupons received"),
    Topic.EXPIRING: gettext_lazy("Expiring"),
    Topic.REFUSED: gettext_lazy("Quota used up"),
    Topic.REVOKED: gettext_lazy("No longer valid"),
    Topic.PROGRESS: gettext_lazy("Progress"),
    Topic.NOTE: gettext_lazy("From the marketplace"),
}
LOOKS = {
    Topic.GRANTED: ("check", "ok"),
    Topic.ISSUED: ("ticket", "ok"),
    Topic.EXPIRING: ("clock", "warn"),
    Topic.REFUSED: ("ban", "bad"),
    Topic.REVOKED: ("alert-triangle", "bad"),
    Topic.PROGRESS: ("arrow-right", "info"),
    Topic.NOTE: ("message-circle", "plan"),
}
"""Icon and tone of each topic."""


@dataclass(frozen=True)
class Entry:
    """One message with its sentence, the address of what it is about, and its mark."""

    message: Any
    text: str
    link: str
    icon: str
    tone: str


def _entry(message: Any) -> Entry:
    link = _link_of(message)
    return Entry(message, message_texts.describe_message(message), link, *LOOKS[Topic(message.topic)])


def _day(entry: Entry) -> date:
    return timezone.localtime(entry.message.happened_at).date()


def _day_name(day: date) -> str:
    return format_date(day, _("d MMMM y"), locale=babel_locale())


def _with_order_kind(rows: "QuerySet[Message]") -> "QuerySet[Any]":
    """Annotate messages with the kind of order of the coupon that they are about; NULL without one."""
    coupons = Coupon.objects.filter(pk=OuterRef("event__coupon_id"))
    return rows.annotate(order_kind=Subquery(coupons.values("order_kind")))


def _link_of(message: Any) -> str:
    """Return the address of what a message is about, empty for the text of an operator."""
    if message.allowance_id is not None:
        return reverse("allowances")
    return _link(message.event, message.order_kind) if message.event else ""


def _link(event: OutboxEvent, order_kind: str | None) -> str:
    """Return the address of the object that an event is about: an order, the wallet, or the offer."""
    if event.order_no and order_kind:
        return reverse("order", args=(list_of(order_kind), event.order_no))
    if event.coupon_id is not None:
        return reverse("wallet")
    subject = terms_of(event.offer.version).subject if event.offer.version else ""
    if event.subject and (listed := list_of(subject)):
        return reverse("order", args=(listed, event.subject))
    return reverse("offer", args=(event.offer.code,))


@require_http_methods(["GET", "POST"])
@for_members
def read(request: MemberRequest, number: int) -> HttpResponse:
    """Mark one of the reader's messages as read: GET leads on to what it is about, POST back to the list."""
    rows = Message.objects.filter(pk=number, member=request.member, shown=True)
    shown = _with_order_kind(rows.select_related("event__offer__version"))
    message = shown.first() if request.member else None
    if message is None:
        raise Http404
    rows.filter(read_at=None).update(read_at=clock.now())
    if request.method == "GET" and (link := _link_of(message)):
        return redirect(link)
    return redirect_back(request, otherwise=reverse("messages"))


@require_POST
@for_members
def mark_all_read(request: MemberRequest) -> HttpResponse:
    """Mark every message of the reader as read."""
    Message.objects.filter(member=request.member, shown=True, read_at=None).update(read_at=clock.now())
    return redirect("messages")
