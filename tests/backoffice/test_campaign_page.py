"""Page of one campaign: totals, offers by urgency, calendar, drafts, publications, and the definition as a file."""

from datetime import UTC

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.calendar import calendar
from campaigns.models import Campaign
from campaigns.offers import drafts, pausing, published_offers
from merchants.models import ReferenceValue
from tests.support.members import text
from tests.support.operators import WINDOW, Staff
from tests.support.world import HEADING, freight, merchant, offer, publish, t, tell, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
PAGE = "/admin/campaign/trial/"
SETTLEMENT = "{at: departed_at, deadline: 2022-10-30 23:59:59, released_by: cancelled_at}"


@pytest.fixture
def viewer(staff: Staff, market: None) -> Client:
    """Publish a second offer, of which four grants are reserved, and an offer of another campaign."""
    ten = offer("ten", conditions=f"[{{fact: merchant.country, is: CN}}, {WINDOW}]", quota="{limit: 6}")
    publish(ten + offer("sea", claim="{at: placed_at}", benefit="{fee: freight, percent: 20}", settlement=SETTLEMENT))
    publish(offer("else", where="[{fact: line, is: x}]"), heading=HEADING.replace("trial", "other"))
    for n in range(4):
        freight(f"S{n}", of="M1", placed_at="05", base_freight=500)
    tick("20")
    return staff("vi", "viewer")


def test_its_totals_are_those_of_the_overview(viewer: Client) -> None:
    page = text(viewer, PAGE)
    assert "Used 10 by 2 merchants" in page
    assert "Given 600.60 CNY" in page
    assert "Reserved 400.00 CNY" in page
    assert "Quotas at risk 1 of 2 offers" in page
    overview = text(viewer, "/admin/")
    assert "Given so far 600.60 CNY 400.00 CNY more reserved" in overview


def test_offers_by_urgency_and_none_of_another_campaign(viewer: Client) -> None:
    page = text(viewer, PAGE)
    assert page.index("ten ten Used up 6 of 6 (100%) 600.60 CNY") < page.index("sea sea Live 4 claims, no limit")
    assert "else" not in page
    assert f'href="{PAGE}"' in viewer.get("/admin/campaigns/").content.decode()
    assert f'href="{PAGE}"' in viewer.get("/admin/offers/ten/").content.decode()


def test_the_calendar_has_claims_and_settlement(viewer: Client) -> None:
    offers = {offer.code: offer for offer in published_offers.published()}
    found = calendar([offers["ten"], offers["sea"]], at=t("16"), zone=UTC)
    assert found is not None
    ten, sea = found.rows
    # From 1 September, 00:00:00, to 30 October, 23:59:59: 60 days less a second.
    assert [(bar.css, bar.x, bar.width) for bar in ten.bars] == [("run", "0.00%", "50.00%")]
    assert [(bar.css, bar.x, bar.width) for bar in sea.bars] == [("run", "0.00%", "100.00%")]
    assert (found.now, found.now_label) == ("25.00%", "16 Sep")
    assert [(tick.at, tick.text) for tick in found.ticks] == [
        ("0.00%", "1 Sep"),
        ("50.00%", "1 Oct"),
        ("100.00%", "30 Oct"),
    ]
    assert ten.label == "ten: claims from 1 Sep to 30 Sep"
    assert "ten ten 1 Sep, 08:00" in text(viewer, PAGE)


def test_the_deadline_follows_the_claims(viewer: Client) -> None:
    window = "[{fact: placed_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}]"
    publish(offer("late", claim="{at: placed_at}", conditions=window, settlement=SETTLEMENT))
    found = calendar([published_offers.find("late")], at=t("16"), zone=UTC)
    assert found is not None
    [row] = found.rows
    assert [(bar.css, bar.x, bar.width) for bar in row.bars] == [
        ("after", "50.00%", "50.00%"),
        ("run", "0.00%", "50.00%"),
    ]


@pytest.mark.parametrize("codes", [(), ("sea",), ("else",)])
def test_without_two_dates_there_is_no_calendar(codes: tuple[str, ...], viewer: Client) -> None:
    offers = [published_offers.find(code) for code in codes]
    assert calendar(offers, at=t("16"), zone=UTC) is None


def test_the_present_outside_has_no_mark(viewer: Client) -> None:
    offers = published_offers.published()
    for at, mark in (("2022-08-31 23:59:59", ""), ("01", "0.00%"), ("10-30 23:59:59", "100.00%"), ("10-31", "")):
        found = calendar(offers, at=t(at), zone=UTC)
        assert found is not None
        assert found.now == mark


def test_its_open_drafts(viewer: Client) -> None:
    campaign = Campaign.objects.get(code="trial")
    mine = drafts.begin(campaign.source, title="Mine", at=t("20"), by="ana", of=campaign)
    drafts.begin(campaign.source.replace("campaign: trial", "campaign: third"), title="Other", at=t("20"), by="ana")
    drafts.begin("campaign: trial", title="Not right", at=t("20"), by="ana")
    drafts.withdraw(drafts.begin(campaign.source, title="Gone", at=t("20"), by="ana"), at=t("20"), by="ana", reason="x")
    page = text(viewer, f"{PAGE}?tab=drafts")
    assert "Drafts 1" in page
    assert "Mine ana" in page
    for title in ("Other", "Not right", "Gone"):
        assert title not in page
    assert mine in drafts.of_campaign("trial")


def test_publications_with_their_versions(viewer: Client) -> None:
    campaign = Campaign.objects.get(code="trial")
    draft = drafts.begin(
        campaign.source.replace("limit: 6", "limit: 8"), title="More", at=t("20"), by="ana", of=campaign
    )
    drafts.submit(draft, at=t("20"), by="ana")
    drafts.approve(draft, shown=draft.digest, at=t("20"), by="bo")
    drafts.launch(draft, at=t("20"), by="ana")
    page = text(viewer, f"{PAGE}?tab=versions")
    assert "Versions 2" in page  # the two of the fixtures at one instant count once
    assert "Publication 2 Published by ana" in page
    assert "approved by bo · More ten ten · version 2" in page
    assert page.index("Publication 2 Published") < page.index("Publication 1 Published")


def test_shared_dates_and_lists(viewer: Client) -> None:
    values = "{a: {en: Line A, zh: 甲线}, b: {en: B, zh: 乙}}"
    shared = (
        "windows: {fair: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}\n"
        f"lists: {{lines: {{names: {{en: Fast lines, zh: 快线}}, values: {values}}}}}\n"
    )
    named = offer("listed", where="[{fact: line, in_reference: easy}]")
    publish(named, heading=HEADING.replace("trial", "shared") + shared)
    tell(ReferenceValue, list_code="easy", value="Toys")
    page = text(viewer, "/admin/campaign/shared/?tab=shared")
    assert "fair from 1 Sep 2022, 08:00 Beijing to 1 Oct 2022, 07:59 Beijing" in page
    assert "Fast lines lines · 2 values Line A a B b" in page
    assert "easy easy · 1 value, imported · Show the values" in page
    empty = text(viewer, f"{PAGE}?tab=shared")
    assert "The offers share no dates." in empty
    assert "The offers share no lists." in empty


def test_its_history(viewer: Client) -> None:
    campaign = Campaign.objects.get(code="trial")
    pausing.pause(published_offers.find("ten").row, at=t("20"), by="bo", reason="check")
    drafts.begin(campaign.source, title="Mine", at=t("20 01:00"), by="ana", of=campaign)
    drafts.begin(campaign.source.replace("campaign: trial", "campaign: third"), title="Other", at=t("20"), by="eve")
    page = text(viewer, f"{PAGE}?tab=history")
    assert page.index("Written ana") < page.index("Paused · ten : check bo") < page.index("Published · sea")
    assert "Mine" in page
    assert "Other" not in page
    assert "else" not in page


def test_the_definition_as_a_file(viewer: Client) -> None:
    answer = viewer.get(f"{PAGE}campaign.yaml")
    assert answer.content.decode() == Campaign.objects.get(code="trial").source
    assert answer.headers["content-disposition"] == 'attachment; filename="trial.yaml"'


@pytest.mark.parametrize("path", ["none/", "none/campaign.yaml", "trial/?tab=nothing"])
def test_what_is_not_there_is_not_found(path: str, viewer: Client) -> None:
    assert viewer.get(f"/admin/campaign/{path}").status_code == 404


def test_only_operators_see_the_actions_that_write(staff: Staff, viewer: Client) -> None:
    assert "Export YAML" in text(viewer, PAGE)
    assert "New draft" not in text(viewer, PAGE)
    page = text(staff("ana", "operator"), PAGE)
    assert "Clone campaign" in page
    assert "New draft" in page


@pytest.mark.parametrize("several", [1, 3])
def test_the_number_of_queries_does_not_depend_on_the_offers(several: int, staff: Staff) -> None:
    merchant()
    publish("".join(offer(f"o{n}", benefit=f"{{fee: freight, percent: {n + 1}}}") for n in range(several)))
    browser = staff("vi", "viewer")
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as found:
        assert browser.get(PAGE).status_code == 200
    assert len(found) == 16
