"""The page of ratings: levels of a period, who moved since the one before, and the choice of series and period."""

from decimal import Decimal

import pytest

from campaigns.models import Campaign, Simulation
from campaigns.offers import drafts, publishing
from campaigns.simulation import jobs
from definitions import parser
from ratings.models import Rating
from tests.support.members import clock, text
from tests.support.operators import Staff
from tests.support.scorecards import STARS
from tests.support.world import HEADING, merchant, receipt, t, tick, trade

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="what a page shows")]
PAGE = "/admin/scorecards/"


def test_levels_and_movement_by_series_and_period(staff: Staff) -> None:
    vi = staff("vi", "viewer")
    clock("10-06")
    assert "No ratings yet" in text(vi, PAGE)
    for code in ("M1", "M2", "M3", "M4"):
        merchant(code)
    source = HEADING + STARS
    publishing.publish(parser.read(source), source=source, at=t("08-31"), by="test")
    for number, code, amount, day in (("1", "M1", 1000, "08-20"), ("2", "M2", 3000, "09-20")):
        trade(f"T{number}", code, amount_usd=Decimal(amount))
        receipt(f"R{number}", f"T{number}", day)
    tick("09-02")
    tick("10-06")
    page = text(vi, PAGE)
    assert "2022-10 · evaluated" in page
    assert "Rated 4 Risen 1 since 2022-09 Fallen 0 since 2022-09" in page
    assert "2 2 50% +1 one star 0 0% 0 0 2 50% -1" in page
    assert "Moved since 2022-09 Level before Level now How many 0 2 1 Periods" in page
    before = text(vi, f"{PAGE}?scorecard=stars&series=official&period=2022-09")
    assert "Rated 4 Risen 1 since 2022-08 Fallen 0 since 2022-08" in before
    assert "2 1 25% +1 one star 0 0% 0 0 3 75% -1" in before
    first = text(vi, f"{PAGE}?scorecard=stars&series=official&period=2022-08")
    assert "Rated 4 Risen – Fallen –" in first
    assert "2022-10-06 · evaluated" in text(vi, f"{PAGE}?scorecard=stars&series=predicted")
    for unknown in ("scorecard=x", "scorecard=stars&series=x", "scorecard=stars&period=2021-01"):
        assert vi.get(f"{PAGE}?{unknown}").status_code == 404
    assert staff("new").get(PAGE).status_code == 403


def test_who_rises_and_falls_by_the_rules_of_a_draft(staff: Staff) -> None:
    """A trial compares levels on the same facts, lists subjects with both levels, and changes no rating."""
    ana, vi = staff("ana", "operator"), staff("vi", "viewer")
    clock("09-06")
    for n, amount in enumerate((500, 1000, 3000, 3000), start=1):
        merchant(f"M{n}")
        trade(f"T{n}", f"M{n}", amount_usd=Decimal(amount))
        receipt(f"R{n}", f"T{n}", "08-20")
    source = HEADING + STARS
    publishing.publish(parser.read(source), source=source, at=t("08-31"), by="test")
    tick("09-06")
    before = list(Rating.objects.order_by("pk").values_list("pk", "level"))
    campaign = Campaign.objects.get()
    same = drafts.begin(source, title="Same", at=t("09-06"), by="ana", of=campaign)
    assert "Try these rules" not in text(ana, f"/admin/drafts/{same.pk}/")
    rules = source.replace("from: 1000.00", "from: 400.00").replace("at_most: 70.00", "at_most: 50.00")
    draft = drafts.begin(rules, title="Other rules", at=t("09-06"), by="ana", of=campaign)
    assert "Other rules draft, ana" in text(vi, PAGE)
    page = text(ana, f"/admin/drafts/{draft.pk}/")
    assert "Predicted, 2022-09-06 Official, 2022-09 Try these rules" in page
    address = f"/admin/drafts/{draft.pk}/scorecards/stars/try/"
    assert vi.post(address).status_code == 403
    assert "/drafts/" in ana.post(address.replace("stars", "moons")).headers["location"]
    where = ana.post(address, {"series": "official"}).headers["location"]
    trial = Simulation.objects.get(scorecard="stars")
    jobs.run(trial, clock=lambda: t("09-06"))
    page = text(vi, where)
    assert "Compared with the official ratings of 2022-09" in page
    assert "made by earlier rules" not in page
    assert "Rise 1 Fall 3 Levels" in page
    assert "2 3 0 -3 one star 0 4 +4 0 1 0 -1" in page
    assert "Fall 3 Merchant Level Score M2 M2 2 → one star 70.00 → 50.00" in page
    assert list(Rating.objects.order_by("pk").values_list("pk", "level")) == before
    rows = vi.get(f"{where}changes.csv").content.decode("utf-8-sig").split()
    assert rows[1:] == [
        "stars,official,2022-09,M1,M1,0,1,35.00,50.00",
        *(f"stars,official,2022-09,M{n},M{n},2,1,70.00,50.00" for n in (2, 3, 4)),
    ]
    assert "1 rise, 3 fall" in text(ana, f"/admin/drafts/{draft.pk}/")
    assert vi.get(f"{where}simulation.xlsx").status_code == 404
