"""Claims whose benefit would be 0.00: granted, unless the offer asks for a benefit that is worth something."""

from decimal import Decimal

import pytest
from django.utils import translation

from campaigns.eligibility import explanations
from campaigns.models import Decision
from campaigns.offers import published_offers
from definitions.errors import DefinitionError
from tests.support.world import freight, grants, merchant, outcomes, publish, tick, trade, used
from tests.support.world import offer as text

pytestmark = pytest.mark.django_db

WORTH = "{fact: benefit, more_than: 0.00}"
LIMITED = {"quota": "{limit: 2}", "benefit": "{fee: freight, percent: 10}"}


def worthless_and_worthy() -> None:
    """Record two orders whose freight leaves nothing to discount, then one of 900.00."""
    merchant()
    freight("F1", base_freight=Decimal(0), paid_at="05 10:00")
    freight("F2", base_freight=Decimal("0.04"), paid_at="05 11:00")
    freight("F3", base_freight=Decimal(900), paid_at="05 12:00")


def test_without_the_condition_a_claim_of_nothing_is_granted() -> None:
    publish(text("o", **LIMITED))
    worthless_and_worthy()
    tick("06")
    assert outcomes("o") == {"F1": "granted", "F2": "granted", "F3": "quota_exhausted"}
    assert grants()["o", "F1"] == "settled 0.00 CNY"


def test_a_condition_refuses_claims_of_nothing_and_leaves_their_places() -> None:
    publish(text("o", conditions=f"[{WORTH}]", **LIMITED))
    worthless_and_worthy()
    freight("F4", base_freight=Decimal("0.05"), paid_at="05 13:00")
    tick("06")
    assert outcomes("o") == {"F1": "refused", "F2": "refused", "F3": "granted", "F4": "granted"}
    assert grants() == {("o", "F3"): "settled 90.00 CNY", ("o", "F4"): "settled 0.01 CNY"}
    assert used("o") == 2
    assert set(Decision.objects.filter(outcome=Decision.Outcome.REFUSED).values_list("failed", flat=True)) == {1}


def test_in_where_such_rows_are_no_subjects() -> None:
    publish(text("o", where=f"[{WORTH}]", **LIMITED))
    worthless_and_worthy()
    tick("06")
    assert outcomes("o") == {"F3": "granted"}
    answer = explanations.explain(published_offers.find("o"), "F2", at=Decision.objects.get().claimed_at)
    assert answer.outcome == "not_a_subject"


@pytest.mark.parametrize(
    ("language", "required", "shown"),
    [("en", "benefit is more than 0.00", "0.00 CNY"), ("zh-hans", "优惠金额大于0.00", "0.00 CNY")],
)
def test_the_refusal_is_explained(language: str, required: str, shown: str) -> None:
    publish(text("o", conditions=f"[{WORTH}]"))
    merchant()
    order = freight("F1", base_freight=Decimal("0.04"), paid_at="05 10:00")
    tick("06")
    assert order.paid_at is not None
    with translation.override(language):
        [result] = explanations.explain(published_offers.find("o"), "F1", at=order.paid_at).conditions
    assert (result.name, result.required, result.passed) == ("nothing_to_discount", required, False)
    assert result.found == Decimal("0.00")
    assert result.shown == shown


def test_other_amounts_can_be_asked_for() -> None:
    """The larger of two bounds of 5.00 and 10.00 refuses; a waiver of a rated fee is worth its rounded amount."""
    publish(
        text(
            "o",
            subject="trade_order",
            claim="{at: buyer_confirmed_at}",
            conditions="[{code: five, fact: benefit, at_least: 5.00}, {fact: benefit, less_than: 10.00}]",
            benefit="{fee: oa_fee, rate: 0.3, percent: 100}",
            settlement="",
        )
    )
    merchant()
    for key, amount in (("T1", "1664.99"), ("T2", "1665.00"), ("T3", "3331.66"), ("T4", "3333.34")):
        trade(key, amount_usd=Decimal(amount), buyer_confirmed_at="05")
    tick("06")
    assert outcomes("o") == {"T1": "refused", "T2": "granted", "T3": "granted", "T4": "refused"}
    assert grants() == {("o", "T2"): "settled 5.00 USD", ("o", "T3"): "settled 9.99 USD"}


def test_a_benefit_is_never_empty() -> None:
    with pytest.raises(DefinitionError, match=r"benefit is never empty: without a fee it is 0\.00"):
        publish(text("o", conditions="[{fact: benefit, empty: yes}]"))


@pytest.mark.parametrize(
    "place",
    [
        {"conditions": "[{count: freight_orders, where: [{fact: benefit, more_than: 0.00}], at_least: 1}]"},
        {
            "subject": "trade_order",
            "benefit": "{fee: service_fee, percent: 50}",
            "claim": "{over_threshold: {height: 5, window: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}, "
            "where: [{fact: benefit, more_than: 0.00}]}}",
        },
    ],
)
def test_only_the_claim_has_a_benefit(place: dict[str, str]) -> None:
    with pytest.raises(DefinitionError, match="no fact 'benefit'"):
        publish(text("o", **place))
