"""Coupons that set the price of a service order: from the request for one to its use, its return and its end."""

from decimal import Decimal

import pytest

from campaigns.coupons import attachment, fitting
from campaigns.engine import instant_claims
from campaigns.grants import revocations
from campaigns.ledger import savings
from campaigns.models import Attachment, Coupon, JournalEntry
from campaigns.monitoring import invariants
from campaigns.offers.published_offers import terms_of
from campaigns.reporting import exports
from definitions.benefit_sentences import describe_benefit
from merchants.models import Merchant
from services.models import ServiceOrder
from tests.support.marketplace import account, request, service_order
from tests.support.scenarios import coupon_offer, request_offer
from tests.support.world import correct, freight, grants, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db
CHEAPER = {"subject": "service_order", "claim": "{at: placed_at}", "benefit": "{fee: service_price, percent: 10}"}


@pytest.fixture(autouse=True)
def world() -> None:
    merchant()
    account()


def held() -> list[tuple[str, str, Decimal, str | None]]:
    """Return offer, status, value and order of each coupon."""
    return list(Coupon.objects.order_by("offer__code", "pk").values_list("offer__code", "status", "value", "order_no"))


def test_a_coupon_is_worth_what_it_takes_off_its_order() -> None:
    publish(request_offer())
    request("R", "c", "02 10:00:00")
    service_order("A", "02 10:00:00", use_coupon=True, paid_at="04")  # at the instant of the request
    tick("03")
    assert grants() == {("c", "R"): "settled 0.00 CNY"}
    assert held() == [("c", "locked", Decimal("98.00"), "A")]
    assert Coupon.objects.get().valid_from == t("02 10:00:00")
    tick("04")
    assert held() == [("c", "redeemed", Decimal("98.00"), "A")]
    assert [(total.amount, total.count) for total in savings.totals(Merchant.objects.get())] == [(Decimal("98.00"), 1)]
    entries = JournalEntry.objects.filter(coupon__isnull=False).order_by("pk")
    assert list(entries.values_list("source", "target", "amount", "order_no")) == [
        ("", "issued", Decimal("0.00"), ""),
        ("issued", "locked", Decimal("98.00"), "A"),
        ("locked", "redeemed", Decimal("98.00"), "A"),
    ]
    assert not invariants.check()


def test_an_order_fits_above_the_price_in_the_currency_for_the_service() -> None:
    publish(request_offer())
    request("R", "c", "02")
    service_order("EQUAL", "02 01:00", use_coupon=True, list_price=Decimal("1.00"))
    service_order("DOLLARS", "02 02:00", use_coupon=True, currency="USD")
    service_order("OTHER", "02 03:00", use_coupon=True, service="rfq_tool")
    service_order("SILENT", "02 04:00")
    service_order("CENT", "02 05:00", use_coupon=True, list_price=Decimal("1.01"))
    tick("03")
    assert held() == [("c", "locked", Decimal("0.01"), "CENT")]
    [equal, dollars, other, cent] = fitting.of_coupon(
        Coupon.objects.get(), ["EQUAL", "DOLLARS", "OTHER", "CENT"], at=t("03")
    )
    assert equal.reasons == ("The service price is not above the 1.00 CNY to which the coupon sets it.",)
    assert dollars.reasons == ("The coupon is in CNY, the order in USD.",)
    assert len(other.reasons) == 1
    assert (cent.fits, cent.pays) == (True, Decimal("1.00"))


def test_a_coupon_comes_back_while_it_is_valid_and_then_expires_worth_nothing() -> None:
    publish(request_offer())
    request("R", "c", "02")
    service_order("A", "02 01:00", use_coupon=True, paid_at="02 02:00", cancelled_at="05")
    service_order("B", "06", use_coupon=True, cancelled_at="10-01")
    tick("05")
    assert held() == [("c", "issued", Decimal("0.00"), None)]
    tick("07")
    assert held() == [("c", "locked", Decimal("98.00"), "B")]
    tick("10-02")
    assert held() == [("c", "expired", Decimal("0.00"), None)]
    assert next(iter(exports.coupons()))[3:5] == ("expired", Decimal("0.00"))
    assert not invariants.check()


def test_the_oldest_coupon_is_used_first_and_of_equal_ones_that_of_the_first_offer() -> None:
    publish(request_offer("z", quota="{per_merchant: 1}") + request_offer("a") + request_offer("m"))
    request("R1", "z", "02")
    request("R2", "z", "02")
    request("R3", "m", "02")
    request("R4", "a", "01")
    for number in ("1", "2", "3"):
        service_order(number, f"03 0{number}:00", use_coupon=True)
    tick("04")
    assert held() == [
        ("a", "locked", Decimal("98.00"), "1"),
        ("m", "locked", Decimal("98.00"), "2"),
        ("z", "locked", Decimal("98.00"), "3"),
    ]


def test_orders_of_two_kinds_with_one_number_have_a_coupon_each() -> None:
    publish(coupon_offer() + request_offer("tool"))
    freight("FIRST", shipped_at="01")
    request("R", "tool", "02")
    freight("A", placed_at="03", use_coupon=True, paid_at="04")
    service_order("A", "03", use_coupon=True)
    tick("05")
    assert held() == [("c", "redeemed", Decimal("25.00"), "A"), ("tool", "locked", Decimal("98.00"), "A")]
    assert set(Attachment.objects.values_list("order_kind", "order_no")) == {
        ("freight_order", "A"),
        ("service_order", "A"),
    }
    assert not invariants.check()


@pytest.mark.parametrize("placed", ["02 12:00", "03 12:00"])
def test_a_coupon_and_a_discount_do_not_add_up(placed: str) -> None:
    """The discount claims at the placement, like the coupon, which comes first at the same instant."""
    publish(request_offer(conditions="everyone") + offer("o", **CHEAPER))
    request("R", "c", "03")
    service_order("A", placed, use_coupon=True)
    tick("05")
    with_coupon = placed > "03"
    assert (("o", "A") in grants()) != with_coupon
    assert held()[0][1] == ("locked" if with_coupon else "issued")
    assert not invariants.check()


def test_an_order_placed_after_a_claim_waits_for_its_decision() -> None:
    publish(request_offer() + offer("o", **{**CHEAPER, "claim": "{at: paid_at}"}))
    request("R", "c", "02")
    service_order("A", "04", use_coupon=True, paid_at="03")
    tick("05")
    assert grants()["o", "A"] == "settled 9.90 CNY"
    assert held() == [("c", "issued", Decimal("0.00"), None)]
    assert not invariants.check()


def test_a_member_attaches_and_detaches_a_coupon() -> None:
    publish(request_offer())
    request("R", "c", "02")
    service_order("A", "02 12:00")
    tick("03")
    owner = Merchant.objects.get()
    with pytest.raises(attachment.NoOrderError):
        attachment.attach("A", kind="freight_order", merchant=owner, at=t("03"), by="ana")
    assert attachment.attach("A", kind="service_order", merchant=owner, at=t("03"), by="ana").value == 98
    back = attachment.detach("A", kind="service_order", merchant=owner, at=t("03 01:00"), by="ana")
    assert (back.status, back.value, back.order_no) == ("issued", 0, None)
    assert not ServiceOrder.objects.get().use_coupon
    tick("04")
    assert not invariants.check()


def test_a_revoked_coupon_is_void_and_its_order_is_charged_the_price() -> None:
    publish(request_offer())
    request("R", "c", "02")
    service_order("A", "02 12:00", use_coupon=True)
    tick("03")
    [grant] = Coupon.objects.get().offer.grants.all()
    revocations.revoke(grant, at=t("04"), by="ana", reason="fraud")
    assert held() == [("c", "void", Decimal("0.00"), None)]
    assert not invariants.check()


def test_a_corrected_price_changes_the_next_use_alone() -> None:
    publish(request_offer())
    request("R", "c", "02")
    service_order("A", "02 12:00", use_coupon=True)
    tick("03")
    correct(ServiceOrder, "A", list_price=Decimal("50.00"))
    tick("04")
    assert held() == [("c", "locked", Decimal("98.00"), "A")]
    correct(ServiceOrder, "A", cancelled_at="05")
    service_order("B", "06", use_coupon=True, list_price=Decimal("50.00"))
    tick("07")
    assert held() == [("c", "locked", Decimal("49.00"), "B")]
    assert not invariants.check()


def test_a_request_decided_at_once_and_a_tick_give_the_same() -> None:
    publish(request_offer(quota="{limit: 1, per_merchant: 1}"))
    request("R", "c", "02")
    request("S", "c", "02 00:00:01")
    decided = instant_claims.claim("R", of="claim_request", at=t("02"))
    assert [decision.outcome for decision in decided] == [1]
    tick("03")
    assert grants() == {("c", "R"): "settled 0.00 CNY"}
    assert held() == [("c", "issued", Decimal("0.00"), None)]
    assert not invariants.check()


def test_a_coupon_issued_after_its_end_expires_at_once() -> None:
    publish(request_offer(until="2022-09-01 23:59:59"))
    request("R", "c", "02")
    tick("03")
    assert held() == [("c", "expired", Decimal("0.00"), None)]
    assert not invariants.check()


def test_the_sentence_names_price_order_and_end() -> None:
    publish(request_offer())
    request("R", "c", "02")
    tick("03")
    terms = terms_of(Coupon.objects.get().grant.version)
    assert describe_benefit(terms.benefit, terms.collection) == (
        "1 coupon that sets the service price to 1.00 CNY, one for each service order with: service is photo_tool; "
        "valid from the claim to 30 Sep 2022, 07:59 Beijing"
    )
    assert Coupon.objects.get().title == "Coupon: service price 1.00 CNY"
