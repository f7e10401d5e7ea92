"""Invariants of allowances find planted violations, and hold without them."""

import pytest
from django.db.models import F

from campaigns.models import Allowance, UsageDecision
from campaigns.monitoring import invariants
from imports.models import ImportBatch
from ratings.models import Evaluation, Rating
from tests.support.allowances import MEMBER, allowance, balances, publish, use
from tests.support.marketplace import account, request
from tests.support.scorecards import unrated
from tests.support.world import merchant, t, tell, tick

pytestmark = [pytest.mark.django_db, pytest.mark.plants_violation]
RATED = f"[{MEMBER}, {{rating: stars, at_least: 2}}]"


@pytest.fixture
def world() -> None:
    """A merchant of level 2 with an allowance that it collected and used, and one without collecting."""
    merchant()
    account()
    Evaluation.objects.create(
        scorecard="stars",
        series="official",
        period="2022-09",
        evaluated_at=t("01 00:00"),
        starts_at=t("05 00:00"),
        ends_at=t("10-05 00:00"),
        version=1,
    )
    tell(
        Rating,
        scorecard="stars",
        series="official",
        period="2022-09",
        subject_kind="merchant",
        subject="M1",
        merchant_id="M1",
        level="2",
        level_number=2,
        score=70,
        parts={},
        metrics={"service": "80.00"},
        inputs={},
        evaluated_at="01 00:00",
        starts_at="05 00:00",
        ends_at="10-05 00:00",
        version=1,
    )
    units = "{cases: [{when: [{rating: stars, of: service, at_least: 80}], is: 15}], otherwise: 3}"
    monthly = {"in_": "{calendar: month, from_day: 5}", "collected": "yes", "conditions": RATED, "units": units}
    publish(
        allowance("quotes", "quote", **monthly) + allowance("mails", "mail"), more=unrated("stars", metric="service")
    )
    request("R0", "quotes", "04 23:59")
    request("R1", "quotes", "05 00:00")
    use("U1", "06 10:00", name="quote", quantity=4)
    use("U2", "06 10:00", quantity=5, cancelled_at="06 11:00")
    use("U3", "06 11:00", quantity=2)
    tick("07")


def broken() -> list[str]:
    return [violation.invariant.name for violation in invariants.check()]


def test_allowances_by_rating_hold(world: None) -> None:
    assert balances() == {("mails", "M1", "2022-09-06"): "2 / 5", ("quotes", "M1", "2022-09"): "4 / 15"}
    assert broken() == []


def test_overspending_is_found(world: None) -> None:
    Allowance.objects.filter(document__code="mails").update(used=F("used") + 1)
    assert broken() == ["I21"]


def test_a_use_outside_its_allowance_is_found(world: None) -> None:
    UsageDecision.objects.filter(pk="U1").update(used_at="2022-10-06T00:00:00Z")
    assert broken() == ["I21"]


def test_more_uses_at_once_than_units_are_found(world: None) -> None:
    UsageDecision.objects.filter(pk="U2").update(returned_at="2022-09-06T12:00:00Z")
    assert broken() == ["I21"]


def test_an_allowance_without_its_rating_is_found(world: None) -> None:
    Rating.objects.update(level="1", level_number=1, score=60)
    assert broken() == ["I22"]
    Rating.objects.update(batch=ImportBatch.objects.create(source="test", rows=1, changed=1))
    tick("08")  # the rating was corrected: the allowance is gone
    assert balances() == {("mails", "M1", "2022-09-06"): "2 / 5"}
    assert "I22" not in broken()
