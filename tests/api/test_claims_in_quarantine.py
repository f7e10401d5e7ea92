"""Claims over REST that fail wait for the tick, and subjects in quarantine are not decided ahead of it."""

import pytest

from campaigns.eligibility import explanations
from campaigns.models import Grant, QuarantineEntry
from campaigns.offers import published_offers
from core import clock
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.faults import refused, unreadable
from tests.support.programs import Program
from tests.support.world import freight, grants, merchant, offer, publish, tick

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest, db: None) -> None:
    if "platform" in request.fixturenames:
        request.getfixturevalue("platform")
    if not Merchant.objects.filter(pk="M1").exists():
        merchant("M1")
    publish(offer("o"))


def claim(platform: Program, key: str) -> tuple[int, str]:
    answer = platform.post("claims/", {"subject": "freight_order", "key": key}, once=key)
    return answer.status, answer.body["outcome"]


def test_a_failing_offer_leaves_its_claims_to_the_tick(platform: Program) -> None:
    freight("F1", paid_at="02")
    freight("F2", paid_at="03")
    with refused(Grant, "NEW.subject = 'F1'"):
        assert claim(platform, "F1") == (202, "waiting")
        assert claim(platform, "F2") == (201, "granted")
        tick("09")
        assert claim(platform, "F1") == (202, "waiting")
        entry = QuarantineEntry.objects.get()
        found = explanations.explain(published_offers.find("o"), "F1", at=clock.now())
        assert (found.outcome, found.quarantined_since, found.error) == ("pending", entry.since, entry.error)
    tick("09 00:05")
    assert ("o", "F1") in grants()


def test_a_subject_that_cannot_be_read_is_explained() -> None:
    freight("F1", paid_at="02")
    unreadable(FreightOrder, "F1", "base_freight")
    tick("09")
    found = explanations.explain(published_offers.find("o"), "F1", at=clock.now())
    assert (found.outcome, found.conditions) == ("pending", ())
    assert found.merchant_code == "M1"
