"""Figures of an offer and of a simulation count what is held, for grants in each state."""

import pytest

from campaigns.models import Grant
from campaigns.offers import published_offers
from campaigns.reporting import offer_metrics
from campaigns.simulation import results
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.plants_violation]  # states are set without a journal entry


@pytest.mark.parametrize("status", Grant.Status)
def test_a_grant_counts_while_it_is_held(status: Grant.Status) -> None:
    for code in ("M1", "M2"):
        merchant(code)
        freight(f"F{code}", of=code, paid_at="05", base_freight=1000)
    publish(offer("ten", quota="{limit: 2}"))
    tick("06")
    is_held = status in Grant.LIVE
    Grant.objects.filter(subject="FM2").update(status=status, ended_at=None if is_held else t("06"))
    offer_ = published_offers.find("ten")
    first, second = ("M1", 1, "100.00"), ("M2", 1, "100.00")
    found = [(row.code, row.held, str(row.amount)) for row in offer_metrics.top_merchants(offer_)]
    assert found == ([first, second] if is_held else [first])
    summary = results.summarize(offer_)
    assert (summary["granted"], summary["merchants"]) == ((2, 2) if is_held else (1, 1))
    assert [row[0] for row in summary["takers"]] == [row[0] for row in found]
    [cost] = offer_metrics.costs([offer_.id])[offer_.id]
    assert cost.spent + cost.promised == (200 if is_held else 100)
