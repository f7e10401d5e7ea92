"""List of campaigns, and the page of one with its offers, calendar, drafts and publications."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.calendar import calendar
from backoffice.campaign_tabs import TABS, publications
from backoffice.offer_actions import Action, Actions
from backoffice.overview import OfferSummary, by_urgency, summarize_offers, total_costs
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.models import Campaign, Draft
from campaigns.offers import drafts, published_offers
from campaigns.offers.schedule import State
from campaigns.reporting import offer_metrics
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

    @property
    def granted(self) -> int:
        return sum(line.offer.row.places_taken for line in self.lines)


@staff_view("view_offer", methods=("GET", "HEAD"))
def campaign_list(request: HttpRequest) -> HttpResponse:
    """Show the published campaigns with their offers, newest first, and the open drafts."""
    by_campaign: dict[int, list[OfferSummary]] = defaultdict(list)
    for line in by_urgency(summarize_offers(published_offers.published(), at=clock.now())):
        by_campaign[line.offer.row.campaign_id].append(line)
    campaigns = Campaign.objects.order_by("-pk").defer("source")
    open_drafts = Draft.objects.filter(status__in=Draft.OPEN).order_by("-changed_at").defer("source")
    return render_page(
        request,
        "campaigns",
        title=_("Campaigns"),
        campaigns=[CampaignSummary(campaign, by_campaign[campaign.pk]) for campaign in campaigns],
        drafts=open_drafts[:MAX_DRAFTS] if has_permissions(request, "view_draft") else [],
    )


@staff_view("view_offer", methods=("GET", "HEAD"))
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one campaign: its offers by urgency with their calendar, or another of its tabs."""
    at, campaign = clock.now(), get_object_or_404(Campaign, code=code)
    tab = request.GET.get("tab", "offers")
    if tab not in TABS:
        raise Http404
    offers = [offer for offer in published_offers.published() if offer.row.campaign_id == campaign.pk]
    lines = by_urgency(summarize_offers(offers, at=at))
    totals = total_costs(lines)
    return render_page(
        request,
        "campaign",
        title=campaign.name,
        summary=CampaignSummary(campaign, lines),
        tab=tab,
        tabs=[(name, label) for name, (label, _context) in TABS.items()],
        totals=totals,
        reserved=sorted((total for total in totals if total.promised), key=lambda total: -total.promised),
        merchants=offer_metrics.merchants_with_places([offer.id for offer in offers]),
        calendar=calendar([line.offer for line in lines], at=at, zone=timezone.get_current_timezone()),
        drafts=drafts.of_campaign(code) if has_permissions(request, "view_draft") else [],
        publications=publications(campaign),
        actions=_actions(request, campaign),
        at=at,
        **TABS[tab][1](request, campaign, offers),
    )


def _actions(request: HttpRequest, campaign: Campaign) -> Actions:
    export = Action("export", _("Export YAML"), "download", reverse("backoffice:campaign-yaml", args=[campaign.code]))
    if not has_permissions(request, "add_draft"):
        return Actions([export], [])
    clone = Action("clone", _("Clone campaign"), "copy", reverse("backoffice:clone-campaign", args=[campaign.code]))
    new = f"{reverse('backoffice:new-draft')}?of={campaign.code}"
    return Actions([export, clone, Action("draft", _("New draft"), "plus", new, is_primary=True)], [])


@staff_view("view_offer", methods=("GET", "HEAD"))
def definition(_request: HttpRequest, code: str) -> HttpResponse:
    """Send the published definition of a campaign as a file."""
    campaign = get_object_or_404(Campaign, code=code)
    headers = {"Content-Disposition": f'attachment; filename="{campaign.code}.yaml"'}
    return HttpResponse(campaign.source, content_type="application/yaml; charset=utf-8", headers=headers)
