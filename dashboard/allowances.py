"""Allowances of the merchant: what to collect, what is left and until when, what other conditions would bring."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campaigns.allowances import holdings, instant_uses
from campaigns.allowances.holdings import Holding, State
from campaigns.allowances.published import published
from campaigns.models import Allowance, UsageDecision
from core import clock
from core.formatting import format_number
from dashboard import request_limits
from dashboard.rendering import render_page
from definitions.allowances import describe_units
from definitions.band_sentences import describe_each
from merchants.access import MemberRequest, for_members
from merchants.members import account_of
from merchants.models import Merchant

LATEST = 10
PAST = timedelta(days=62)
LONGEST_TOKEN = 64


@dataclass(frozen=True)
class Line:
    """An allowance in the list, with the words about it."""

    holding: Holding
    at: datetime

    @property
    def period(self) -> str:
        """The period of the allowance in words."""
        return describe_each(self.holding.allowance.terms.in_)

    @property
    def units(self) -> str:
        """The units of the allowance in words; empty where the request decides."""
        return "" if self.holding.units is None else describe_units(self.holding.units)

    @property
    def used(self) -> str:
        """The part that is used in words."""
        n = self.holding.used
        if self.holding.allowance.terms.is_by_buyer:
            text = ngettext(
                "%(n)s buyer; further uses for the same buyer take nothing",
                "%(n)s buyers; further uses for the same buyer take nothing",
                n,
            )
        else:
            text = ngettext("%(n)s used", "%(n)s used", n)
        return text % {"n": format_number(n)}

    @property
    def days_left(self) -> str:
        """The time that is left to collect the allowance."""
        if self.holding.ends_at is None:
            return ""
        days = max((self.holding.ends_at - self.at).days, 0)
        words = {"n": format_number(days)}
        return ngettext("Not collected, %(n)s day left", "Not collected, %(n)s days left", days) % words


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """Show the merchant's allowances: those to collect first."""
    at = clock.now()
    lines = [Line(holding, at) for holding in holdings.holdings(request.merchant, at=at)]
    by_state = {state: [line for line in lines if line.holding.state is state] for state in State}
    context = {
        "collectable": by_state[State.COLLECTABLE],
        "had": sorted(by_state[State.HAD], key=lambda line: line.holding.collected_at is None),
        "others": [*by_state[State.OUTSIDE_PERIOD], *by_state[State.NOT_ELIGIBLE]],
        "uses": _named_uses(request.merchant),
        "past": _past(request.merchant, at),
        "account": account_of(request.member),
        "token": uuid4().hex,
    }
    return render_page(request, "dashboard/allowances.html", at=at, current="allowances", **context)


def _named_uses(merchant: Merchant) -> list[tuple[UsageDecision, str]]:
    """Return the latest uses, each with the name of its allowance; a refused one with that of an allowance of its use.

    A use that no allowance has is named by its code.
    """
    names = {allowance.terms.use: str(allowance.terms.names) for allowance in published()}
    return [(one, one.document.name if one.document else names.get(one.use, one.use)) for one in _latest_uses(merchant)]


def _latest_uses(merchant: Merchant) -> "QuerySet[UsageDecision]":
    rows = UsageDecision.objects.filter(merchant=merchant).select_related("document", "usage")
    return rows.order_by("-used_at", "-pk")[:LATEST]


def _past(merchant: Merchant, at: datetime) -> "QuerySet[Allowance]":
    """Select the collected allowances of periods that have ended lately."""
    rows = Allowance.objects.filter(merchant=merchant, ends_at__lte=at, ends_at__gt=at - PAST)
    return rows.exclude(request_no="").select_related("document").order_by("-ends_at", "document__code")


@require_POST
@for_members
def collect(request: MemberRequest, code: str) -> HttpResponse:
    """Collect an allowance, once for each token of the page."""
    member, token = request.member, request.POST.get("token", "")
    allowance = next((one for one in published() if one.code == code and one.terms.collected), None)
    if allowance is None:
        raise Http404
    if member is None:
        raise PermissionDenied
    account = account_of(member)
    if not token or len(token) > LONGEST_TOKEN:
        messages.error(request, _("This page is out of date. Try again."))
    elif account is None:
        messages.error(request, _("No account of yours is recorded yet. Ask the marketplace."))
    elif not request_limits.allows(member):
        messages.error(request, _("You have asked too often. Wait a minute, then try again."))
    else:
        number = f"W-{sha256(f'{member.pk} {code} {token}'.encode()).hexdigest()[:32]}"
        with transaction.atomic():
            locked = instant_uses.lock(allowance.terms.use)
            is_collected = instant_uses.collect(
                locked, number, code=code, merchant=member.merchant_id, account=account.pk, at=clock.now()
            )
        name = str(allowance.terms.names)
        if is_collected:
            messages.success(request, _("Collected: %(name)s.") % {"name": name})
        else:
            messages.error(request, _("Not collected: %(name)s. See what is missing below.") % {"name": name})
    return redirect("allowances")
