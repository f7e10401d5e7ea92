"""Claims before an offer opens: no decision and no refusal, an explanation that says so, and corrections that count."""

import pytest

from campaigns.eligibility import explanations
from campaigns.models import Decision
from campaigns.offers import published_offers, schedule
from logistics.models import FreightOrder
from tests.support.world import correct, freight, grants, merchant, outcomes, publish, t, tick, trade
from tests.support.world import offer as text

pytestmark = pytest.mark.django_db

WINDOW = "{code: in_window, fact: paid_at, within: {from: 2022-09-10 00:00:00, to: 2022-09-20 23:59:59}}"


def outcome(subject: str, at: str = "30") -> str:
    return explanations.explain(published_offers.find("o"), subject, at=t(at)).outcome


def test_both_sides_of_the_opening_and_of_the_end() -> None:
    publish(text("o", conditions=f"[{WINDOW}]"))
    merchant()
    freight("A", paid_at="09 23:59:59")
    freight("B", paid_at="10 00:00:00")
    freight("C", paid_at="20 23:59:59")
    freight("D", paid_at="21 00:00:00")
    for at in ("09 23:59:59", "15", "30"):
        tick(at)
    assert outcomes("o") == {"B": "granted", "C": "granted", "D": "refused"}
    assert [outcome(subject) for subject in "ABCD"] == ["before_opening", "granted", "granted", "refused"]
    assert outcome("A", "09") == "no_claim"
    [condition] = explanations.explain(published_offers.find("o"), "A", at=t("30")).conditions
    assert (condition.name, condition.passed, condition.found) == ("in_window", False, t("09 23:59:59"))


def test_a_correction_moves_a_claim_into_the_window() -> None:
    publish(text("o", conditions=f"[{WINDOW}]"))
    merchant()
    freight("A", paid_at="05")
    freight("B", paid_at="05")
    tick("15")
    assert not Decision.objects.exists()
    correct(FreightOrder, "A", paid_at="12")
    tick("15 01:00")
    assert outcomes("o") == {"A": "granted"}
    assert grants() == {("o", "A"): "settled 100.00 CNY"}
    assert outcome("B") == "before_opening"


def test_a_version_that_opens_earlier_decides_claims_of_before() -> None:
    publish(text("o", conditions=f"[{WINDOW}]"))
    merchant()
    freight("A", paid_at="05")
    tick("15")
    assert outcomes("o") == {}
    publish(text("o", conditions=f"[{WINDOW.replace('09-10', '09-05')}]"), at="15")
    tick("15 01:00")
    assert outcomes("o") == {"A": "granted"}


@pytest.mark.parametrize(
    ("claim", "decided", "known"),
    [
        ("{at: shipped_at}", "", True),
        ("{at: {latest_of: [shipped_at, completed_at]}}", "2022-09-25 00:00:00", True),
        ("{at: {day_after: shipped_at, zone: Asia/Shanghai}}", "2022-09-25 00:00:00", True),
        ("{at: {by: export_mode, cases: {self_operated: completed_at}, otherwise: shipped_at}}", "", True),
        (
            "{at: {by: export_mode, cases: {self_operated: completed_at}, otherwise: shipped_at}}",
            "2022-09-25 00:00:00",
            False,
        ),
    ],
)
def test_a_claim_before_the_opening_never_meets_the_conditions(claim: str, decided: str, known: bool) -> None:
    """A claim by cases that is decided later is the exception: its other fact can lie in the window by then."""
    window = WINDOW.replace("paid_at", "shipped_at")
    parts = {"subject": "trade_order", "benefit": "{fee: service_fee, percent: 50}", "settlement": ""}
    publish(text("o", claim=claim, decided_at=decided, conditions=f"[{window}]", **parts))
    assert schedule.first_claim(published_offers.find("o").terms) == (t("10") if known else None)
    merchant()
    trade("A", completed_at="05", shipped_at="12")
    trade("B", completed_at="05", shipped_at="06")
    trade("C", completed_at="12", shipped_at="12")
    tick("30")
    assert outcomes("o")["C"] == "granted"
    assert outcomes("o").get("B") == (None if known else "refused")
    if not known:
        assert outcomes("o")["A"] == "granted"
