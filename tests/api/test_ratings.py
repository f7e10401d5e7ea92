"""Ratings of a merchant over REST."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from campaigns.offers import publishing
from definitions import parser
from tests.support.members import clock
from tests.support.programs import program
from tests.support.scorecards import STARS
from tests.support.world import HEADING, merchant, receipt, t, tick, trade

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Settings) -> None:
    """Merchant M1 is rated on two days by 1,250.00 with a dispute in two, then by 4,250.00; M2 has nothing."""
    settings.DEMO, settings.API_RATE = True, 10**6
    merchant()
    merchant("M2")
    source = HEADING + STARS
    publishing.publish(parser.read(source), source=source, at=t("08-31"), by="test")
    trade("T1", amount_usd=Decimal(250), disputed_at="08-25")
    receipt("R1", "T1", "08-20")
    trade("T2", amount_usd=Decimal(1000))
    receipt("R2", "T2", "08-20")
    trade("T3", amount_usd=Decimal(3000))
    receipt("R3", "T3", "09-05 12:00")
    for day in ("09-01", "09-05", "09-06"):
        tick(day)
    clock("06 10:00")


def test_ratings_with_points_next_bands_caps_gates_and_history(world: None) -> None:
    own = program("read", of="M1")
    [stars] = own.list("merchants/M1/ratings/")
    assert (stars["scorecard"], stars["name"]) == ("stars", "Stars")
    official = stars["official"]
    shown = {name: official[name] for name in ("series", "period", "level", "level_name", "score", "version")}
    assert shown == {
        "series": "official",
        "period": "2022-09",
        "level": "1",
        "level_name": "one star",
        "score": "45.00",
        "version": 1,
    }
    assert [official[name] for name in ("evaluated_at", "starts_at", "ends_at")] == [
        "2022-09-01T00:00:00Z",
        "2022-09-05T00:00:00Z",
        "2022-10-05T00:00:00Z",
    ]
    [trading] = official["parts"]
    assert (trading["code"], trading["points"], trading["level"], trading["capped"]) == ("trade", "45.00", "1", False)
    volume, disputes, partner = trading["items"]
    assert volume == {
        "code": "volume",
        "name": "Volume",
        "depth": 1,
        "points": "40.00",
        "before_limits": "40.00",
        "at_most": None,
        "capped": False,
        "unmet": [],
        "found": "1250.00",
        "unit": "USD",
        "band": {"direction": "from", "bound": "1000.00", "points": "40.00"},
        "next_band": {"direction": "from", "bound": "3000.00", "points": "60.00", "missing": "1750.00"},
        "asked": None,
        "text": "Volume 1,250.00 USD, from 1,000.00 USD",
    }
    assert (disputes["found"], disputes["unit"], disputes["points"]) == ("50.00", "%", "5.00")
    assert disputes["next_band"] == {"direction": "to", "bound": "1.00", "points": "35.00", "missing": "49.00"}
    assert (partner["points"], partner["before_limits"], partner["found"]) == ("0.00", "12.00", None)
    assert len(partner["unmet"]) == 1
    steps = [
        (one["item"], one["target"], one["missing"], one["gain"], one["reaches"]) for one in official["next_steps"]
    ]
    assert steps == [
        ("volume", "3000.00", "1750.00", "20.00", True),
        ("disputes", "1.00", "49.00", "25.00", True),
        ("partner", None, None, "12.00", False),
    ]
    assert [one["certain"] for one in official["next_steps"]] == [False, False, True]
    predicted = stars["predicted"]
    assert (predicted["period"], predicted["level"], predicted["score"]) == ("2022-09-06", "2", "65.00")
    assert (predicted["parts"][0]["items"][0]["next_band"], predicted["next_steps"]) == (None, [])
    told = [(one["series"], one["period"], one["parts"]) for one in stars["history"]]
    forty_five = [{"code": "trade", "points": "45.00"}]
    assert told == [
        ("predicted", "2022-09-06", [{"code": "trade", "points": "65.00"}]),
        ("predicted", "2022-09-05", forty_five),
        ("official", "2022-09", forty_five),
        ("predicted", "2022-09-01", forty_five),
        ("official", "2022-08", [{"code": "trade", "points": "35.00"}]),
    ]


def test_a_key_of_a_merchant_sees_its_own_ratings_only(world: None) -> None:
    own, platform = program("read", of="M1"), program("read")
    assert own.list("merchants/M1/ratings/") == platform.list("merchants/M1/ratings/")
    assert own.get("merchants/M2/ratings/").status == 404
    assert own.get("merchants/M9/ratings/").status == platform.get("merchants/M9/ratings/").status == 404
    [other] = platform.list("merchants/M2/ratings/")
    # nothing was traded: no points for volume, and all for the disputes that there are not
    assert (other["official"]["level"], other["official"]["score"]) == ("0", "35.00")
    assert program("claim", of="M1").get("merchants/M1/ratings/").status == 403
    tag = platform.get("merchants/M1/ratings/").headers["ETag"]
    assert platform.get("merchants/M1/ratings/", **{"if-none-match": tag}).status == 304
