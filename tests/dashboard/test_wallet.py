"""Wallet, and coupons attached to orders that were placed without one."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.coupons import attachment
from campaigns.models import Attachment, Coupon, JournalEntry
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Member
from tests.support.members import client, clock, text
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import everything, freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

TWO = BUNDLE.replace("count: 1", "count: 2")


@pytest.fixture
def coupons(owner: Member) -> list[Coupon]:
    """Two coupons of 25.00 CNY, valid from 2 to 29 September."""
    publish(coupon_offer(benefit=TWO))
    freight("SHIPPED", placed_at="01", shipped_at="02")
    tick("03")
    return list(Coupon.objects.order_by("number"))


def states() -> list[tuple[str, str | None]]:
    return list(Coupon.objects.order_by("number").values_list("status", "order_no"))


def test_the_wallet_shows_eligible_orders_and_validity(owner: Member, coupons: list[Coupon]) -> None:
    page = text(client(owner), "/wallet/")
    assert f"25.00 CNY issued {coupons[1].code} · c For freight orders with: service is express." in page
    assert "Valid from 2 September 2022 08:00:00 Beijing until 30 September 2022 08:00:00 Beijing" in page
    assert "Usable issued 2 locked 0 redeemed 0 expired 0 void 0" in page


def test_coupons_by_status_and_their_history(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="03 10:00", paid_at="04", use_coupon=True)
    tick("05")
    clock("05")
    browser = client(owner)
    page = text(browser, "/wallet/?state=redeemed")
    assert f"25.00 CNY redeemed {coupons[0].code} · c Used for freight order A" in page
    assert coupons[1].code not in page
    history = text(browser, f"/wallet/{coupons[0].code}/")
    assert "2 September 2022 08:00:00 Beijing issued 25.00 CNY" in history
    assert "3 September 2022 18:00:00 Beijing locked 25.00 CNY A" in history
    assert "4 September 2022 08:00:00 Beijing redeemed 25.00 CNY A" in history
    assert browser.get("/wallet/?state=NO").status_code == 404
    assert "Coupon of 25.00 CNY, redeemed" in text(browser, "/orders/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_depend_on_coupons(owner: Member, count: int) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", f"count: {count}")))
    freight("SHIPPED", shipped_at="02")
    tick("03")
    browser = client(owner)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/wallet/")
    assert len(queries) == 6  # session, user with its member, counts, coupons, clock, unread messages


def test_a_coupon_is_attached_at_once(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00")
    tick("03")
    browser = client(owner)
    assert "Use a coupon for this order" in text(browser, "/orders/freight/A/")
    response = browser.post("/orders/freight/A/coupon/", follow=True)
    assert b"Coupon of 25.00 CNY attached to this order." in response.content
    assert states() == [("locked", "A"), ("issued", None)]
    batch = ImportBatch.objects.get(source="dashboard: owner@example.com")
    assert FreightOrder.objects.get(pk="A").batch == batch
    decided = everything()
    tick("03 00:00:01")
    assert everything() == decided  # the tick that comes finds nothing more to do
    freight("PAID", placed_at="02 10:00", paid_at="03 10:00")
    FreightOrder.objects.filter(pk="A").update(paid_at=t("03 10:00"))
    tick("04")
    assert states() == [("redeemed", "A"), ("issued", None)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"paid_at": "02 12:00"}, "The order is paid."),
        ({"cancelled_at": "02 12:00"}, "The order is cancelled."),
        ({"use_coupon": True}, "The order asked for a coupon when it was placed."),
        ({"service": "sea_fcl"}, "None of your coupons can be used for this order."),
        ({"currency": "USD"}, "None of your coupons can be used for this order."),
        ({"placed_at": "01 23:59:59"}, "None of your coupons can be used for this order."),
    ],
)
def test_a_refused_coupon_names_the_reason_and_changes_nothing(
    owner: Member, coupons: list[Coupon], fields: dict[str, Any], reason: str
) -> None:
    freight("A", **{"placed_at": "02 10:00", **fields})
    tick("03")
    before = everything(), ImportBatch.objects.count(), FreightOrder.objects.get(pk="A").use_coupon
    response = client(owner).post("/orders/freight/A/coupon/", follow=True)
    assert reason in response.content.decode()
    assert (everything(), ImportBatch.objects.count(), FreightOrder.objects.get(pk="A").use_coupon) == before


def test_a_coupon_can_be_attached_until_payment(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00", paid_at="03 00:00:01")
    order = FreightOrder.objects.get(pk="A")
    assert attachment.cannot(order, at=t("03")) == ""
    assert attachment.cannot(order, at=t("03 00:00:01")) != ""


def test_no_coupon_for_an_order_with_a_freight_discount(owner: Member, coupons: list[Coupon]) -> None:
    publish(
        coupon_offer(benefit=TWO)
        + offer("o", claim="{at: placed_at}", settlement="{released_by: cancelled_at, at: paid_at}")
    )
    freight("A", placed_at="02 10:00")
    tick("03")
    response = client(owner).post("/orders/freight/A/coupon/", follow=True)
    assert b"None of your coupons can be used" in response.content
    assert states() == [("issued", None), ("issued", None)]
    assert not Attachment.objects.exists()


def test_a_coupon_is_worth_no_more_than_the_freight(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00", base_freight=Decimal("20.00"))
    browser = client(owner)
    browser.post("/orders/freight/A/coupon/")
    assert "Used for freight order A, 19.99 CNY" in text(browser, "/wallet/?state=locked")


def test_another_merchants_order_is_not_found(owner: Member, coupons: list[Coupon]) -> None:
    merchant("M2")
    freight("THEIRS", of="M2", placed_at="02 10:00")
    with pytest.raises(FreightOrder.DoesNotExist):
        attachment.attach("THEIRS", merchant=owner.merchant, at=t("03"), by="owner")
    assert client(owner).post("/orders/freight/THEIRS/coupon/").status_code == 404
    assert not JournalEntry.objects.filter(order_no="THEIRS").exists()
