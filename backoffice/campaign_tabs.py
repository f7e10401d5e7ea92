"""Tabs of the page of a campaign besides its offers: drafts, publications, shared dates and lists, history."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from backoffice.rendering import has_permissions
from campaigns.models import AuditEvent, Campaign
from campaigns.offers import drafts
from campaigns.offers.published_offers import PublishedOffer
from core.facts import REFERENCE_LISTS
from core.formatting import city_name
from definitions import parser
from definitions.parser import CampaignDefinition
from merchants.models import ReferenceValue
from rules.base import ValueList
from rules.sentences import describe_window

MOST_EVENTS = 100


@dataclass
class Publication:
    """Versions that were published together: by one person at one instant, from one draft or from a file."""

    number: int
    act: AuditEvent
    acts: list[AuditEvent] = field(default_factory=list)


@dataclass(frozen=True)
class SharedList:
    """List of values that offers name: of the campaign, or a reference list that is kept as facts."""

    code: str
    name: str
    count: int
    values: Sequence[tuple[str, str]] = ()
    is_reference: bool = False


def publications(campaign: Campaign) -> list[Publication]:
    """Return the publications of a campaign, the newest first."""
    acts = AuditEvent.objects.filter(offer__campaign=campaign, verb=AuditEvent.Verb.PUBLISHED)
    together: dict[tuple[datetime, str, int | None], Publication] = {}
    for act in acts.select_related("offer", "draft").defer("draft__source", "draft__base_source").order_by("pk"):
        key = (act.at, act.by, act.draft_id)
        together.setdefault(key, Publication(len(together) + 1, act)).acts.append(act)
    return list(together.values())[::-1]


def _shared(_request: HttpRequest, campaign: Campaign, offers: Sequence[PublishedOffer]) -> dict[str, Any]:
    """Return the windows and lists of the campaign, and the reference lists that its offers name."""
    text = parser.read(campaign.source)
    windows = [(name, describe_window(window)) for name, window in text.windows.items()]
    return {"windows": windows, "lists": [*_lists(text), *_reference_lists(offers)], "zone": city_name(text.zone)}


def _lists(text: CampaignDefinition) -> Iterator[SharedList]:
    for code, several in text.lists.items():
        values = [(value, _label(several, value)) for value in several.values]
        yield SharedList(code, str(several.names or code), len(values), values)


def _label(several: ValueList, value: str) -> str:
    return str(several.labels[value]) if value in several.labels else ""


def _reference_lists(offers: Sequence[PublishedOffer]) -> Iterator[SharedList]:
    names = sorted(set().union(*(offer.terms.reference_lists for offer in offers)))
    counted = ReferenceValue.objects.filter(list_code__in=names).order_by().values_list("list_code")
    counts = dict(counted.annotate(n=Count("pk")))
    for code in names:
        yield SharedList(code, str(REFERENCE_LISTS.get(code, code)), counts.get(code, 0), is_reference=True)


def _history(request: HttpRequest, campaign: Campaign, _offers: Sequence[PublishedOffer]) -> dict[str, Any]:
    """Return what people did with the offers of the campaign and with drafts that changed it, or would."""
    launched = AuditEvent.objects.filter(offer__campaign=campaign, draft__isnull=False).values("draft")
    of_drafts = Q(draft__in=launched)
    if has_permissions(request, "view_draft"):
        of_drafts |= Q(draft__in=[draft.pk for draft in drafts.of_campaign(campaign.code)])
    acts = AuditEvent.objects.filter(Q(offer__campaign=campaign) | of_drafts & Q(offer=None))
    listed = acts.select_related("draft", "offer").defer("draft__source", "draft__base_source")
    return {"acts": listed.order_by("-pk")[:MOST_EVENTS]}


def _nothing(_request: HttpRequest, _campaign: Campaign, _offers: Sequence[PublishedOffer]) -> dict[str, Any]:
    return {}


TABS: dict[str, tuple[Promise, Callable[[HttpRequest, Campaign, Sequence[PublishedOffer]], dict[str, Any]]]] = {
    "offers": (gettext_lazy("Offers"), _nothing),
    "drafts": (gettext_lazy("Drafts"), _nothing),
    "versions": (gettext_lazy("Versions"), _nothing),
    "shared": (gettext_lazy("Dates and lists"), _shared),
    "history": (gettext_lazy("History"), _history),
}
