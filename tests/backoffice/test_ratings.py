"""The page of ratings: levels of a period, who moved since the one before, and the choice of series and period."""

from decimal import Decimal

import pytest

from campaigns.offers import publishing
from definitions import parser
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
