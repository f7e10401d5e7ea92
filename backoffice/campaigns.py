"""List of campaigns with their offers and drafts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.overview import OfferSummary, by_urgency, summarize_offers
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.models import Campaign, Draft
from campaigns.offers import published_offers
from campaigns.offers.schedule import State
from core import clock

MAX_DRAFTS = 20


@dataclass
class CampaignSummary:
    """Campaign with the figures of its offers."""

    campaign: Campaign
    lines: Sequence[OfferSummary] = field(default_factory=list)

    @property
    def live(self) -> int:
        return sum(1 for line in self.lines if line.state is State.LIVE)

    @property
    def at_risk(self) -> int:
        return sum(1 for line in self.lines if line.at_risk)


@staff_view("view_offer", methods=("GET", "HEAD"))
def campaign_list(request: HttpRequest) -> HttpResponse:
    """Show the published campaigns with their offers, newest first, and the open drafts."""
    by_campaign: dict[int, list[OfferSummary]] = defaultdict(list)
    for line in by_urgency(summarize_offers(published_offers.published(), at=clock.now())):
        by_campaign[line.offer.row.campaign_id].append(line)
    campaigns = Campaign.objects.order_by("-pk").defer("source")
    drafts = Draft.objects.filter(status__in=Draft.OPEN).order_by("-changed_at").defer("source")
    return render_page(
        request,
        "campaigns",
        title=_("Campaigns"),
        campaigns=[CampaignSummary(campaign, by_campaign[campaign.pk]) for campaign in campaigns],
        drafts=drafts[:MAX_DRAFTS] if has_permissions(request, "view_draft") else [],
    )
