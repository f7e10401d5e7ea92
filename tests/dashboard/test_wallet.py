"""Wallet, and coupons attached to orders that were placed without one."""

from decimal import Decimal
from re import findall
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.coupons import attachment
from campaigns.models import Attachment, Coupon, JournalEntry
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Member, Merchant
from tests.support.members import client, clock, text, visible, words
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import batch, everything, freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="pages and refusals; the tests of coupons decide on PostgreSQL"),
]
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
    page = visible(client(owner), "/wallet/")
    assert "Unused 2 On an order 0 Used 0 Expired 0 Void 0" in page
    which = "25.00 CNY × 2 c 27 days left Freight order: service is express · One coupon for each order."
    assert f"{which} Use by 30 Sep, 07:59" in page


def test_coupons_by_status_and_their_history(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="03 10:00", paid_at="04", use_coupon=True)
    tick("05")
    clock("05")
    browser = client(owner)
    page = visible(browser, "/wallet/?state=redeemed")
    assert "25.00 CNY c Used Freight order A · 1,000.00 CNY 975.00 CNY Valid until 30 Sep, 07:59" in page
    assert coupons[1].code not in page
    history = visible(browser, f"/wallet/{coupons[0].code}/")
    assert "History Unused 2 Sep, 08:00 · 25.00 CNY On an order 3 Sep, 18:00 · 25.00 CNY · A" in history
    assert "Used 4 Sep, 08:00 · 25.00 CNY · A" in history
    assert browser.get("/wallet/?state=NO").status_code == 404
    assert "Used Coupon of 25.00 CNY" in text(browser, "/orders/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_depend_on_coupons(owner: Member, count: int) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", f"count: {count}")))
    freight("SHIPPED", shipped_at="02")
    tick("03")
    browser = client(owner)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/wallet/")
    assert len(queries) == 9
    # clock, session, user with its member, counts, coupons, the one to use, orders that fit it, unread messages


def test_an_order_is_compared_once_with_coupons_of_one_version(owner: Member) -> None:
    """A merchant may have thousands; their definition is large, and read once a process."""
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 5")))
    freight("SHIPPED", shipped_at="02")
    freight("A", placed_at="03")
    tick("03")
    browser = client(owner)
    browser.get("/orders/freight/A/")  # reads the terms
    with CaptureQueriesContext(connection) as queries:
        page = visible(browser, "/orders/freight/A/")
    assert "25.00 CNY × 5" in page
    statements = [query["sql"] for query in queries.captured_queries]
    assert len([sql for sql in statements if "is_reduced" in sql]) == 1
    assert not [sql for sql in statements if "campaigns_coupon" in sql and '"definition"' in sql]


def test_a_coupon_is_attached_at_once(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00")
    tick("03")
    browser = client(owner)
    assert "Use this coupon" in text(browser, "/orders/freight/A/")
    response = browser.post("/orders/freight/A/attach/", follow=True)
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
    response = client(owner).post("/orders/freight/A/attach/", follow=True)
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
    response = client(owner).post("/orders/freight/A/attach/", follow=True)
    assert b"None of your coupons can be used" in response.content
    assert states() == [("issued", None), ("issued", None)]
    assert not Attachment.objects.exists()


def test_a_coupon_is_worth_no_more_than_the_freight(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00", base_freight=Decimal("20.00"))
    browser = client(owner)
    browser.post("/orders/freight/A/attach/")
    assert "19.99 CNY c On an order Freight order A · 20.00 CNY 0.01 CNY Pay by 30 Sep, 07:59 Take off" in visible(
        browser, "/wallet/?state=locked"
    )


def test_another_merchants_order_is_not_found(owner: Member, coupons: list[Coupon]) -> None:
    merchant("M2")
    freight("THEIRS", of="M2", placed_at="02 10:00")
    with pytest.raises(attachment.NoOrderError):
        attachment.attach("THEIRS", kind="freight_order", merchant=owner.merchant, at=t("03"), by="owner")
    assert client(owner).post("/orders/freight/THEIRS/attach/").status_code == 404
    assert not JournalEntry.objects.filter(order_no="THEIRS").exists()


def test_an_order_that_moves_shows_nothing_to_the_wallet_it_left(owner: Member, coupons: list[Coupon]) -> None:
    merchant("M2")
    freight("A", placed_at="02 10:00", base_freight=Decimal("777.00"))
    tick("03")
    browser = client(owner)
    browser.post("/orders/freight/A/attach/", {"coupon": coupons[0].code})
    assert "777.00 CNY" in text(browser, "/wallet/?state=locked")
    FreightOrder.objects.filter(pk="A").update(merchant="M2", batch=batch())
    tick("03 00:00:01")
    clock("03 00:00:02")
    assert states() == [("locked", "A"), ("issued", None)]
    assert "777.00" not in text(browser, "/wallet/?state=locked")
    with pytest.raises(attachment.NotAttachableError, match="There is no coupon on this order"):
        theirs = Merchant.objects.get(pk="M2")
        attachment.detach("A", kind="freight_order", merchant=theirs, at=t("03 00:00:02"), by="theirs")
    assert states() == [("locked", "A"), ("issued", None)]


THREE = BUNDLE.replace("count: 1", "count: 3")


def choices(browser: Client, order: str) -> list[str]:
    return findall(r'name="coupon" value="([^"]+)"', browser.get(f"/orders/freight/{order}/").content.decode())


def test_a_coupon_is_chosen_with_its_value_and_taken_off_again(owner: Member) -> None:
    publish(coupon_offer(benefit=THREE))
    freight("SHIPPED", placed_at="01", shipped_at="02")
    freight("A", placed_at="02 10:00", base_freight=Decimal("20.00"))
    tick("03")
    first, second, third = Coupon.objects.order_by("number")
    browser = client(owner)
    Coupon.objects.filter(pk=third.pk).update(valid_until=t("28"))
    assert choices(browser, "A") == [first.code, third.code]  # the first two are alike
    shown = visible(browser, "/orders/freight/A/")
    assert "19.99 CNY × 2 c · Use by 30 Sep, 07:59 20.00 CNY 0.01 CNY 19.99 CNY c · Use by 28 Sep, 07:59" in shown
    assert first.code not in shown
    assert " checked" not in browser.get("/orders/freight/A/").content.decode()
    page = browser.post("/orders/freight/A/attach/", {"coupon": second.code}, follow=True).content.decode()
    assert "Coupon of 19.99 CNY attached to this order." in page
    assert states() == [("issued", None), ("locked", "A"), ("issued", None)]
    assert "Take off" in page
    decided = everything()
    tick("03 00:00:01")
    assert everything() == decided  # the tick keeps the choice
    clock("03 00:00:02")
    page = browser.post("/orders/freight/A/detach/", follow=True).content.decode()
    assert "The coupon is back in your wallet." in page
    assert states() == [("issued", None)] * 3
    Coupon.objects.update(valid_until=third.valid_until)
    assert choices(browser, "A") == [first.code]
    assert f'value="{first.code}" required checked' in browser.get("/orders/freight/A/").content.decode()
    browser.post("/orders/freight/A/attach/", {"coupon": third.code})
    FreightOrder.objects.filter(pk="A").update(paid_at=t("03 10:00"), batch=batch())
    tick("04")
    assert states() == [("issued", None), ("issued", None), ("redeemed", "A")]


def test_a_coupon_is_used_from_the_wallet(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00")
    freight("EARLY", placed_at="01 10:00")
    freight("PAID", placed_at="02 10:00", paid_at="02 11:00")
    tick("03")
    browser = client(owner)
    for path in (f"/wallet/{coupons[1].code}/", f"/wallet/?coupon={coupons[1].code}"):
        page = visible(browser, path)
        assert "Orders that fit A China–US charter select · placed 2 Sep, 18:00 1,000.00 CNY 975.00 CNY Use" in page
        assert "Do not fit EARLY The order was placed before the coupon became valid, 2 Sep 2022, 08:00" in page
        assert "PAID" not in page
    browser.post("/wallet/use/", {"coupon": coupons[1].code, "order": "A"})
    assert states() == [("issued", None), ("locked", "A")]
    assert "Use coupon for this order" not in text(browser, f"/wallet/{coupons[1].code}/")
    assert "Choose an order." in browser.post("/wallet/use/", {"coupon": coupons[0].code}, follow=True).content.decode()
    assert states() == [("issued", None), ("locked", "A")]


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        ("/wallet/?state=locked", "/wallet/?state=locked"),
        ("/orders/", "/orders/"),
        ("", "/orders/freight/A/"),
        ("https://evil.example/", "/orders/freight/A/"),
        ("//evil.example", "/orders/freight/A/"),
        ("home", "/orders/freight/A/"),  # not the name of an address
        ("nowhere", "/orders/freight/A/"),
    ],
)
def test_a_coupon_is_taken_off_where_it_is_seen(owner: Member, coupons: list[Coupon], back: str, leads: str) -> None:
    freight("A", placed_at="02 10:00")
    tick("03")
    browser = client(owner)
    assert "Compare coupons A" in text(browser, "/orders/")
    browser.post("/orders/freight/A/attach/", {"coupon": coupons[1].code})
    assert "Take off A" in text(browser, "/orders/")
    assert "Take off A" in text(browser, "/wallet/?state=locked")
    clock("03 00:00:02")
    assert browser.post("/orders/freight/A/detach/", {"next": back}).headers["Location"] == leads
    assert states() == [("issued", None), ("issued", None)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"service": "sea_fcl"}, "Needed: service is express; found:"),
        ({"currency": "USD"}, "The coupon is in CNY, the order in USD."),
        (
            {"placed_at": "01 23:59:59"},
            "The order was placed before the coupon became valid, 2 Sep 2022, 08:00",
        ),
    ],
)
def test_each_coupon_that_does_not_fit_has_its_reason(
    owner: Member, coupons: list[Coupon], fields: dict[str, Any], reason: str
) -> None:
    freight("A", **{"placed_at": "02 10:00", **fields})
    tick("03")
    browser = client(owner)
    page = text(browser, "/orders/freight/A/")
    assert "None of your coupons can be used for this order." in page
    assert "2 coupons do not fit: why?" in page
    assert page.count(reason) == 1  # both are alike
    assert "25.00 CNY × 2" in page
    assert "Use this coupon" not in page
    before = everything()
    posted = browser.post("/orders/freight/A/attach/", {"coupon": coupons[0].code}, follow=True)
    refused = words(posted.content.decode())
    assert refused.count(reason) == 2  # the message, and both coupons
    assert (everything(), FreightOrder.objects.get(pk="A").use_coupon) == (before, False)


@pytest.mark.parametrize("fields", [{"paid_at": "02 12:00"}, {"cancelled_at": "02 12:00"}])
def test_nothing_is_offered_on_an_order_that_can_take_no_coupon(
    owner: Member, coupons: list[Coupon], fields: dict[str, Any]
) -> None:
    freight("A", placed_at="02 10:00", **fields)
    tick("03")
    page = text(client(owner), "/orders/freight/A/")
    assert "Coupons for this order" not in page
    assert "Use this coupon" not in page


def test_an_order_that_asked_for_a_coupon_and_got_none_says_why(owner: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00", use_coupon=True, service="sea_fcl")
    browser = client(owner)
    assert "It gets one within a few minutes, if one fits." in visible(browser, "/orders/freight/A/")
    tick("03")
    page = visible(browser, "/orders/freight/A/")
    assert "asked for a coupon when it was placed, and none of your coupons fits it. 2 coupons do not fit: why?" in page
    assert page.count("Needed: service is express; found:") == 1
    Attachment.objects.create(order_kind="freight_order", order_no="B", merchant=owner.merchant, placed_at=t("02"))
    freight("B", placed_at="02 10:00", use_coupon=True)
    page = visible(browser, "/orders/freight/B/")
    assert "and no coupon that fits was free then." in page
    assert "Use this coupon" not in page


def test_a_merchant_without_coupons_sees_nothing_about_them(owner: Member) -> None:
    publish(coupon_offer())
    freight("A", placed_at="02 10:00")
    assert "Coupons for this order" not in text(client(owner), "/orders/freight/A/")


@pytest.mark.parametrize("code", ["NO-SUCH-CODE", "theirs"])
def test_a_coupon_that_is_not_in_the_wallet_cannot_be_chosen(
    owner: Member, coupons: list[Coupon], stranger: Member, code: str
) -> None:
    freight("S2", of="M2", placed_at="01", shipped_at="02")
    freight("A", placed_at="02 10:00")
    tick("03")
    theirs = Coupon.objects.filter(merchant="M2")[0].code
    before = everything()
    chosen = theirs if code == "theirs" else code
    page = client(owner).post("/orders/freight/A/attach/", {"coupon": chosen}, follow=True).content.decode()
    assert "This coupon is not in your wallet any more." in page
    assert everything() == before


def test_a_view_only_account_is_told_whom_to_ask(owner: Member, mate: Member, coupons: list[Coupon]) -> None:
    freight("A", placed_at="02 10:00")
    tick("03")
    browser = client(mate)
    page = text(browser, "/orders/freight/A/")
    assert "Your account may not use coupons: ask your main account." in page
    for verb in ("attach", "detach"):
        assert browser.post(f"/orders/freight/A/{verb}/").status_code == 403
    assert states() == [("issued", None), ("issued", None)]
