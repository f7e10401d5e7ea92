"""Drafts in the states that tests begin with."""

from campaigns.models import Campaign, Draft
from campaigns.offers import drafts
from tests.support.world import HEADING, offer, publish, t

AT = t("20")
SOURCE = f"{HEADING}offers:\n{offer('ten')}"


def begin(source: str = SOURCE, *, by: str = "ana", of: Campaign | None = None) -> Draft:
    return drafts.begin(source, title="Ten", at=AT, by=by, of=of)


def approved(source: str = SOURCE, *, of: Campaign | None = None) -> Draft:
    draft = begin(source, of=of)
    drafts.submit(draft, at=AT, by="ana")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    return draft


def two_approved() -> tuple[Draft, Draft]:
    """Return an approved draft whose campaign was published anew, and the launched draft that did it."""
    publish(offer("ten", quota="{limit: 6}"))
    campaign = Campaign.objects.get()
    overtaken = approved(campaign.source.replace("percent: 10", "percent: 12"), of=campaign)
    other = approved(campaign.source.replace("limit: 6", "limit: 60"), of=campaign)
    assert drafts.out_of_date([overtaken, other]) == set()
    drafts.launch(other, at=AT, by="cy")
    return overtaken, other
