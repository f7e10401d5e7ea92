"""Sums and products of the largest amounts that a file or a definition can hold."""

from decimal import Decimal

import pytest

from campaigns.eligibility import merchant_status
from campaigns.models import Grant, Tag
from campaigns.offers import published_offers
from definitions.errors import DefinitionError
from merchants.models import Merchant
from tests.support.scenarios import coupon_offer, threshold_offer
from tests.support.world import coupons, freight, merchant, offer, publish, receipt, t, tick, trade

pytestmark = pytest.mark.django_db

LARGEST = Decimal("999999999999.99")


def test_receipts_of_the_largest_amount_add_up() -> None:
    merchant()
    publish(threshold_offer())
    trade("T1")
    for n in range(20):
        receipt(f"R{n}", "T1", "02", amount_usd=LARGEST)
    trade("T2", service_fee_usd=LARGEST)
    receipt("S", "T2", "03", amount_usd=LARGEST)
    tick("04")
    assert Tag.objects.get(subject="T2").total == 20 * LARGEST
    assert Grant.objects.get(subject="T2").amount == Decimal("500000000000.00")


def test_discounts_of_the_largest_amount_add_up() -> None:
    merchant()
    publish(offer("o", benefit="{fee: freight, percent: 100}"))
    for n in range(200):
        freight(f"F{n}", paid_at="02", base_freight=LARGEST)
    tick("03")
    [status] = merchant_status.statuses(published_offers.published(), Merchant.objects.get(), at=t("03"))
    assert status.grants[0].amount == 200 * (LARGEST - Decimal("0.01"))


def test_coupons_of_the_largest_amount_expire() -> None:
    merchant()
    publish(
        coupon_offer(quota="{per_merchant: 1}").replace("value: 25.00", f"value: {LARGEST}")
        + coupon_offer().replace("value: 25.00", f"value: {LARGEST}").replace("code: c", "code: d")
    )
    freight("A", shipped_at="01")
    tick("26")
    assert coupons() == {"issued": 2}
    tick("30")
    assert coupons() == {"expired": 2}


@pytest.mark.parametrize(
    ("count", "value"), [(1000, "999999999999.99"), (2, "500000000000.00"), (1000, "1000000000.00")]
)
def test_a_bundle_worth_more_than_an_amount_can_hold_is_refused(count: int, value: str) -> None:
    with pytest.raises(DefinitionError, match="worth more than 999999999999"):
        publish(coupon_offer().replace("count: 1", f"count: {count}").replace("value: 25.00", f"value: {value}"))


def test_coupons_do_not_wait_for_late_facts() -> None:
    with pytest.raises(DefinitionError, match="settling_hours: coupons are issued at once"):
        publish(coupon_offer(settling_hours="5"))
