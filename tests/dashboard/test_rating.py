"""The page of a merchant's rating: points, the cheapest steps to the next level, what-if and history."""

from decimal import Decimal

import pytest

from campaigns.offers import publishing
from definitions import parser
from tests.support.members import client, clock, member, text
from tests.support.world import HEADING, merchant, receipt, t, tick, trade

pytestmark = pytest.mark.django_db

STARS = """
measures:
  volume:
    names: {en: Volume, zh: 交易额}
    sum: trade_orders.amount_usd
    over: {last_days: 90, at: first_payment_at}
scorecards:
  - code: stars
    names: {en: Stars, zh: 星级}
    subjects: merchants
    where: all
    series:
      predicted: {every: day, from: 2022-08-01 00:00:00}
      official: {every: month, from: 2022-08-01 00:00:00, in_force: {month_from: 5}}
    levels: [{level: 0}, {level: 1, from: 40.00}, {level: 2, from: 60.00}]
    level: lowest
    score: mean
    versions:
      - parts:
          - code: trade
            names: {en: Trade, zh: 交易力}
            measure: volume
            bands: [{from: 1000.00, points: 40.00}, {from: 3000.00, points: 60.00}]
"""


def test_a_merchant_sees_its_points_next_steps_and_a_trial() -> None:
    merchant("M1")
    merchant("M2")
    ana = client(member("ana@example.com"))
    clock("09-10")
    assert "Rating" not in text(ana, "/")
    assert "No rating yet" in text(ana, "/rating/")
    source = HEADING + STARS
    publishing.publish(parser.read(source), source=source, at=t("08-01"), by="test")
    trade("T1", amount_usd=Decimal(1250))
    receipt("R1", "T1", "08-20")
    tick("09-10")
    page = text(ana, "/rating/")
    for said in (
        "Volume 1,250.00 USD, from 1,000.00 USD",
        "Volume: 3,000.00 USD, 1,750.00 USD more",
        "enough for the next level of this part",
        "Trade holds you at level 1.",
        "2022-09, official: level 1, 40.00",
        "2022-09-10, predicted: level 1, 40.00",
    ):
        assert said in page
    assert 'href="/rating/?if-volume=3000.00#h-if-1"' in ana.get("/rating/").content.decode()
    trial = text(ana, "/rating/?if-volume=3,000.00")
    assert "40.00 → 60.00" in trial
    assert "40.00 →" not in text(ana, "/rating/?if-volume=many")
    assert "level 0, 0.00" in text(client(member("bo@example.com", of="M2")), "/rating/")
