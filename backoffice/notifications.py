"""Notifications of the reader, and its choice of what is told on which channel."""

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backoffice.rendering import render_page, staff_view
from campaigns.models import Notification
from campaigns.notifications import notice_texts, operators, preferences
from campaigns.notifications.preferences import TOPICS, Topic
from core import clock

ON_A_PAGE = 50


@dataclass(frozen=True)
class Line:
    """Notification as the page shows it."""

    row: Notification
    text: str
    icon: str
    tone: str


@dataclass(frozen=True)
class Choice:
    """Topic on the settings page, with the channels in force."""

    topic: Topic
    text: Promise
    workspace: bool
    mail: bool


@staff_view("view_offer", methods=("GET", "HEAD"))
def page(request: HttpRequest) -> HttpResponse:
    """List the reader's notifications, newest first."""
    user = cast(User, request.user)
    rows = Notification.objects.filter(user=user, shown=True).select_related("notice__offer").order_by("-pk")
    shown = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    lines = [Line(row, notice_texts.describe(row.notice), *notice_texts.mark(row.notice)) for row in shown]
    unread = operators.unread(user).exists()
    return render_page(request, "notifications", title=_("Notifications"), lines=lines, pages=shown, has_unread=unread)


@staff_view("view_offer")
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to what a notification of the reader is about; a POST marks it as read, too."""
    row = get_object_or_404(Notification.objects.select_related("notice"), pk=pk, user=request.user)
    if request.method == "POST":
        operators.mark_read(cast(User, request.user), pk=pk, at=clock.real())
    return redirect(row.notice.path)


@staff_view("view_offer", methods=("POST",))
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all notifications of the reader as read, or the one whose key is posted."""
    pk = request.POST.get("pk")
    if pk is not None and not pk.isdecimal():
        raise Http404
    operators.mark_read(cast(User, request.user), pk=None if pk is None else int(pk), at=clock.real())
    return redirect("backoffice:notifications")


@staff_view("view_offer", methods=("GET", "HEAD", "POST"))
def choose(request: HttpRequest) -> HttpResponse:
    """Show and store which topics are told in the workspace and by mail, and the language of mail."""
    user = cast(User, request.user)
    topics = preferences.open_to(user)
    if request.method == "POST":
        chosen = {topic: (f"{topic}-workspace" in request.POST, f"{topic}-mail" in request.POST) for topic in topics}
        language = request.POST.get("language", "")
        known = language in dict(settings.LANGUAGES)
        preferences.choose(user, chosen, language=language if known else get_language() or settings.LANGUAGE_CODE)
        messages.success(request, _("Your choice is saved."))
        return redirect("backoffice:notification-settings")
    stored = preferences.of(user)
    lines = [Choice(topic, TOPICS[topic].text, *preferences.channels(topic, stored)) for topic in topics]
    return render_page(
        request,
        "notification_settings",
        title=_("Notification settings"),
        lines=lines,
        language=stored.language,
        languages=settings.LANGUAGES,
    )
