"""Pages without data of their own: all pages for small screens, and help."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from core import clock
from dashboard.rendering import render_page
from merchants.access import MemberRequest, for_members


@require_GET
@for_members
def more(request: MemberRequest) -> HttpResponse:
    """List all pages, for small screens."""
    return render_page(request, "dashboard/more.html", at=clock.now(), current="more")


@require_GET
@for_members
def help_page(request: MemberRequest) -> HttpResponse:
    """Explain how benefits work, and whom to ask."""
    return render_page(request, "dashboard/help.html", at=clock.now(), current="help", contact=settings.SUPPORT_EMAIL)
