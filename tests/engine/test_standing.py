"""Merchant status: by the same rules, quota and limits that a claim would meet."""

from decimal import Decimal

import pytest

from campaigns.eligibility import merchant_status, threshold_tags
from campaigns.eligibility.merchant_status import Kind, MerchantOfferStatus
from campaigns.models import Offer
from campaigns.offers import pausing, published_offers, schedule
from definitions import bundled, parser
from merchants.models import Merchant
from tests.support.scenarios import coupon_offer, threshold_offer
from tests.support.world import freight, merchant, offer, publish, receipt, t, tick, trade

pytestmark = pytest.mark.django_db

WINDOW = "{from: 2022-09-02 00:00:00, to: 2022-09-20 23:59:59}"
CONDITIONS = (
    f"[{{fact: paid_at, within: {WINDOW}}}, {{fact: merchant.country, is: CN}}, "
    "{in_force: membership, of: [global_pass]}, {fact: base_freight, at_least: 500.00}]"
)


def status(at: str, code: str = "M1") -> MerchantOfferStatus:
    [found] = merchant_status.statuses(published_offers.published(), Merchant.objects.get(pk=code), at=t(at))
    return found


def test_eligible_lists_the_conditions_on_an_order() -> None:
    merchant()
    publish(offer("o", conditions=CONDITIONS, quota="{limit: 100, per_merchant: 2}"))
    found = status("03")
    assert (found.kind, found.left, found.own_left, found.missing) == (Kind.ELIGIBLE, 100, 2, [])
    assert any("500.00" in item for item in found.asks)
    assert len(found.asks) == 2
    assert [item.name for item in found.reasons] == ["merchant_country", "membership"]


def test_not_eligible_if_a_claim_would_be_refused() -> None:
    merchant("ABROAD", country="US")
    merchant("GUEST", member=False)
    publish(offer("o", conditions=CONDITIONS))
    for code, name in (("ABROAD", "merchant_country"), ("GUEST", "membership")):
        found = status("03", code)
        assert (found.kind, [item.name for item in found.missing]) == (Kind.NOT_ELIGIBLE, [name])


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ("01 23:59:59.999999", Kind.SOON),
        ("02", Kind.ELIGIBLE),
        ("20 23:59:59.999999", Kind.ELIGIBLE),
        ("21", Kind.OVER),
    ],
)
def test_status_opens_and_closes_with_the_claims(at: str, kind: Kind) -> None:
    merchant()
    publish(offer("o", conditions=CONDITIONS))
    assert status(at).kind == kind


@pytest.mark.parametrize(("given", "kind"), [(94, Kind.ELIGIBLE), (95, Kind.RUNNING_OUT), (100, Kind.OVER)])
def test_running_out_from_five_percent_left(given: int, kind: Kind) -> None:
    merchant()
    merchant("OTHER")
    publish(offer("o", conditions=CONDITIONS, quota="{limit: 100}"))
    for n in range(given):
        freight(f"F{n}", "OTHER", paid_at="02")
    tick("03")
    found = status("03")
    assert (found.kind, found.left) == (kind, 100 - given)


def test_granted_shows_the_number_and_sum_of_grants() -> None:
    merchant()
    publish(offer("o", conditions=CONDITIONS, quota="{per_merchant: 2}"))
    for n in range(2):
        freight(f"F{n}", paid_at="02")
    tick("03")
    found = status("03")
    assert (found.kind, found.own_left) == (Kind.GRANTED, 0)
    assert [(item.status, item.count, item.amount, item.currency) for item in found.grants] == [
        ("settled", 2, Decimal("200.00"), "CNY")
    ]


def test_a_stopped_offer_is_over() -> None:
    merchant()
    publish(offer("o", conditions=CONDITIONS))
    pausing.stop(Offer.objects.get(), at=t("03"), by="ana", reason="")
    assert status("04").kind == Kind.OVER


def test_progress_towards_a_number_of_shipments() -> None:
    merchant()
    shipped = f"{{fact: shipped_at, within: {WINDOW}}}"
    nth = f"{{nth: {{number: 5, of: freight_orders, at: shipped_at, where: [{shipped}]}}}}"
    publish(coupon_offer(claim=nth))
    for n in range(3):
        freight(f"F{n}", shipped_at=f"0{n + 2} 10:00")
    for at, count in (("03 09:59:59", 1), ("03 10:00", 2), ("10", 3)):
        found = status(at)
        assert found.target == (Decimal(count), Decimal(5))
    assert found.progress is not None
    assert found.progress.margin == "2 more by 21 Sep 2022, 07:59 Beijing"
    assert found.percent == 60


def test_progress_towards_a_threshold_is_the_sum_that_tags_the_next_order() -> None:
    merchant()
    publish(threshold_offer())
    trade("T1")
    receipt("R1", "T1", "02", amount=60, cancelled_at="05")
    receipt("R2", "T1", "03", amount=30, kind="balance")
    terms = published_offers.find("half")
    assert terms.terms.threshold is not None
    for at, total in (("01", 0), ("02", 60), ("04", 90), ("05", 30)):
        assert threshold_tags.total(terms, terms.terms.threshold, "M1", at=t(at)) == total
    assert status("04").target == (Decimal(90), Decimal(100))
    assert status("04").percent == 90


def test_closing_dates_of_the_shipped_season() -> None:
    path = bundled.path("september-2022")
    assert path is not None
    text = parser.read(path.read_text(encoding="utf-8"))
    ends = {item.code: closes.at for item in text.offers if (closes := schedule.closes(item))}
    assert ends == {
        "service-fee-half": "2022-09-30 23:59:59",
        "oa-fee-waiver": "2022-10-31 23:59:59",
        "easy-return-premium-half": "2022-12-31 23:59:59",
        "lc-financing-first-draw": "2022-09-30 23:59:59",
        "express-coupons": "2022-09-30 23:59:59",
        "multimodal-reduction": "2022-10-15 23:59:59",
        "charter-5-off": "2022-10-15 23:59:59",
        "parcel-11-off": "2022-10-15 23:59:59",
        "us-west-port-to-door": "2022-09-30 23:59:59",
    }
