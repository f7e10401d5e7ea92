"""Read-only view of a merchant's dashboard for operators with the permission. Opening and leaving are logged."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from merchants.access import SEEN, may_see_dashboards
from merchants.models import Merchant


@require_POST
@login_required
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Open the dashboard as the merchant with this code."""
    if not may_see_dashboards(request.user):
        raise PermissionDenied
    merchant = get_object_or_404(Merchant, pk=code)
    _log(request, merchant, "opened the merchant's dashboard")
    request.session[SEEN] = merchant.pk
    return redirect("home")


@require_POST
@login_required
def stop(request: HttpRequest) -> HttpResponse:
    """Return to the operators' pages."""
    code = request.session.pop(SEEN, None)
    merchant = Merchant.objects.filter(pk=code).first()
    if merchant is None:
        return redirect("admin:index")
    _log(request, merchant, "left the merchant's dashboard")
    return redirect("backoffice:merchant", code)


def _log(request: HttpRequest, merchant: Merchant, text: str) -> None:
    assert request.user.pk is not None
    LogEntry.objects.log_actions(request.user.pk, [merchant], CHANGE, change_message=text, single_object=True)
