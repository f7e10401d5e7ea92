"""Facts of the marketplace programmes: they import without an error, and show something of each programme."""

import io
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command

from buyers.models import BuyerAction
from campaigns.engine import ticker
from campaigns.models import Coupon, Decision
from core.models import DEMO_START
from ratings.models import Rating
from services.models import ClaimRequest, ServiceOrder, Usage
from standalone.demo_data.generate import write_files
from standalone.demo_data.load import CAMPAIGNS, MERCHANT
from trade.models import OrderItem, Review, TradeOrder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="the content of the demonstration")]


def test_each_programme_has_something_to_show(tmp_path: Path) -> None:
    for campaign in CAMPAIGNS:
        call_command("load_campaign", campaign, stdout=io.StringIO(), stderr=io.StringIO())
    written = write_files(tmp_path, merchants=40, seed=2022)
    call_command("import_facts", str(tmp_path), stdout=io.StringIO())
    for model in (BuyerAction, ClaimRequest, OrderItem, Review, ServiceOrder, TradeOrder, Usage):
        label = str(model._meta.db_table).partition("_")[2]
        assert model._default_manager.count() > 20, label
    assert ClaimRequest.objects.count() == written["claim_requests"]
    assert ClaimRequest.objects.filter(merchant=MERCHANT).count() >= 8
    ticker.tick(at=DEMO_START)
    outcomes = Counter(Decision.objects.values_list("offer__code", "outcome"))
    for code in ("flash-listing-tool", "shop-diagnosis", "new-buyer-first-order", "bnpl-first-use"):
        assert outcomes[code, Decision.Outcome.GRANTED], code
        assert outcomes[code, Decision.Outcome.REFUSED], code
    assert len(set(Rating.objects.filter(scorecard="customization-stars").values_list("level", flat=True))) >= 3
    assert Coupon.objects.filter(grant__offer__code__startswith="flash-").count() > 5
