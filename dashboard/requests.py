"""Offers that merchants ask for: a countdown until the session opens, a button, and the place or the refusal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.eligibility import explanations, merchant_status
from campaigns.engine import claim_requests
from campaigns.engine.claim_requests import NewRequest
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from core.formatting import format_number
from dashboard import request_limits
from dashboard.calendars import find
from dashboard.offer_lines import OfferLine
from dashboard.offer_results import OfferResult
from dashboard.rendering import render_page
from definitions import offer_sentences
from definitions.offer_terms import OfferTerms
from merchants.access import MemberRequest, for_members
from merchants.members import account_of
from merchants.models import Merchant
from services.models import ClaimRequest

OFFER = "offer"
"""The fact of a request that holds the code for which it asks."""
LONGEST_TOKEN = 64


@dataclass(frozen=True)
class Session:
    """An offer that is asked for, with what the merchant can do about it at `at`."""

    line: OfferLine
    at: datetime
    result: OfferResult | None = None

    @property
    def opens(self) -> datetime | None:
        bound = schedule.opens(self.line.status.offer.terms)
        return bound.instant if bound else None

    @property
    def is_ahead(self) -> bool:
        """The session has not begun."""
        return self.opens is not None and self.at < self.opens

    @property
    def seconds(self) -> int:
        """Seconds until the session begins, rounded up."""
        return ceil((self.opens - self.at).total_seconds()) if self.opens and self.is_ahead else 0

    @property
    def countdown(self) -> tuple[int, int, int]:
        """Hours, minutes and seconds until the session begins."""
        return self.seconds // 3600, self.seconds // 60 % 60, self.seconds % 60

    @property
    def is_open(self) -> bool:
        """A request can be made now, and may get a place."""
        status = self.line.status
        return not (self.is_ahead or status.is_closed or status.is_used_up or status.offer.row.paused_at)

    @property
    def is_sold_out(self) -> bool:
        return self.line.status.left == 0


def requested_code(terms: OfferTerms) -> str:
    """Return the code that a request must name to ask for an offer; empty for an offer that cannot be asked for."""
    if terms.subject != claim_requests.SUBJECT:
        return ""
    codes = [condition.is_ for condition in terms.scope if condition.fact == OFFER and condition.is_]
    return codes[0] if codes else ""


@require_http_methods(["GET", "POST"])
@for_members
def request_offer(request: MemberRequest, code: str) -> HttpResponse:
    """Show the session of an offer that is asked for; POST asks for it, once for each token of the page."""
    offer = find(code)
    if not requested_code(offer.terms):
        raise Http404
    return _ask(request, offer) if request.method == "POST" else _page(request, offer)


def _page(request: MemberRequest, offer: PublishedOffer) -> HttpResponse:
    at = clock.now()
    sessions = list(_sessions(offer, request.merchant, at))
    shown = next(session for session in sessions if session.line.status.code == offer.code)
    context: dict[str, Any] = {
        "session": shown,
        "sessions": sessions,
        "terms": offer_sentences.describe_terms(offer.terms),
        "checked": shown.line.status.reasons,
        "account": account_of(request.member),
        "token": uuid4().hex,
    }
    return render_page(request, "dashboard/request.html", at=at, **context)


def _sessions(offer: PublishedOffer, merchant: Merchant, at: datetime) -> Iterator[Session]:
    """Yield the offers of the same campaign that are asked for, by their opening: two queries, and one an offer."""
    campaign = offer.row.campaign_id
    offers = [each for each in published_offers.about(claim_requests.SUBJECT) if requested_code(each.terms)]
    offers = [each for each in offers if each.row.campaign_id == campaign]
    codes = {requested_code(each.terms): each for each in offers}
    until = at + claim_requests.MOST_AHEAD  # requests may be stamped a moment ahead of the clock
    requests = ClaimRequest.objects.filter(merchant=merchant, offer__in=codes, requested_at__lte=until)
    numbers: dict[str, list[str]] = {}
    for number, code in requests.order_by("requested_at", "pk").values_list("pk", "offer"):
        numbers.setdefault(code, []).append(number)
    statuses = merchant_status.statuses(offers, merchant, at=at)
    lines = {status.code: OfferLine(status, at) for status in statuses}
    rows = [Session(lines[each.code], at, _best(each, numbers.get(code, []), until)) for code, each in codes.items()]
    yield from sorted(rows, key=lambda row: (row.opens is not None, row.opens or at, row.line.status.code))


def _best(offer: PublishedOffer, numbers: list[str], at: datetime) -> OfferResult | None:
    """Return the result of the merchant's requests for an offer: of the granted one, or else of the latest."""
    results = [OfferResult(each, offer) for each in explanations.explain_all(offer, numbers[-20:], at=at)]
    return next((result for result in results if result.is_granted), results[-1] if results else None)


def _ask(request: MemberRequest, offer: PublishedOffer) -> HttpResponse:
    """Ask for an offer and tell what came of it. A token that was sent before tells what came of it then."""
    member, at = request.member, clock.now()
    if member is None:
        raise PermissionDenied
    account, token = account_of(member), request.POST.get("token", "")
    opens = schedule.opens(offer.terms)
    back = redirect("request-offer", offer.code)
    if not token or len(token) > LONGEST_TOKEN:
        messages.error(request, _("This page is out of date. Try again."))
    elif account is None:
        messages.error(request, _("No account of yours is recorded yet. Ask the marketplace."))
    elif opens is not None and at < opens.instant:
        messages.error(request, _("The session has not begun yet."))
    elif not request_limits.allows(member):
        messages.error(request, _("You have asked too often. Wait a minute, then try again."))
    else:
        number = f"W-{sha256(f'{member.pk} {offer.code} {token}'.encode()).hexdigest()[:32]}"
        asked = NewRequest(
            number=number, offer=requested_code(offer.terms), merchant=member.merchant_id, account=account.pk
        )
        claim_requests.request(asked, at=at, by=str(member))
        _tell(request, offer, number)
    return back


def _tell(request: MemberRequest, offer: PublishedOffer, number: str) -> None:
    at = clock.now() + claim_requests.MOST_AHEAD
    [explanation] = explanations.explain_all(find(offer.code), [number], at=at)
    result = OfferResult(explanation, offer)
    if not result.is_granted:
        reasons = " ".join(f"{each.required}: {each.finding}." for each in result.missing)
        messages.error(request, f"{result.outcome}. {reasons}".strip())
        return
    words = {"offer": offer.row.name, "rank": format_number(explanation.place or 0)}
    if offer.row.limit:
        words["limit"] = format_number(offer.row.limit)
        messages.success(request, _("It is yours: %(offer)s. You are number %(rank)s of %(limit)s.") % words)
    else:
        messages.success(request, _("It is yours: %(offer)s.") % words)


def address(offer: PublishedOffer) -> str:
    """Return the address at which an offer is asked for; empty for an offer that cannot be asked for."""
    return reverse("request-offer", args=(offer.code,)) if requested_code(offer.terms) else ""
