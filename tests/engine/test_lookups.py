"""Rows that subjects look up: which one is found, what it gives, its limit, and corrections of it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from campaigns.eligibility.explanations import explain
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange
from campaigns.models import BandCounter, Grant, Offer
from campaigns.offers import band_usage, published_offers, quota_bands
from catalog.models import Listing, StoreDiscount
from core.db import key_set
from definitions.errors import DefinitionError
from definitions.offer_sentences import describe_terms
from definitions.parser import read
from imports.models import FormerParent
from tests.support.marketplace import buyer, item, listing, store_discount, violation
from tests.support.world import (
    HEADING,
    correct,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    review,
    t,
    tell,
    tick,
    trade,
    used,
)
from trade.models import BuyerPayment, TradeOrder

pytestmark = pytest.mark.django_db

LOOKUP = (
    "{store_discount: {of: store_discounts, by: listing,"
    " where: [{fact: starts_at, happened: yes}, {fact: ends_at, happened: no}]%s}}"
)
PARTS = {
    "subject": "order_item",
    "lookups": LOOKUP % "",
    "claim": "{at: order.first_payment_at}",
    "conditions": "[{fact: store_discount, empty: no}, {code: new_buyer, measure: {count: trade_orders,"
    " by: [merchant, buyer], over: {last_days: 365, earlier: first_payment_at}}, at_most: 0}]",
    "benefit": "{fee: item_amount, percent: {fact: store_discount.percent}}",
    "quota": "[{of: grants, at_most: {fact: store_discount.stock}, per: store_discount}]",
    "settlement": "{released_by: order.cancelled_at, released_after_settlement: yes}",
}


def given(**parts: str) -> None:
    """Publish an offer of the discounts on two listings of merchant M1, and of one of M2."""
    merchant()
    merchant("M2")
    for number in ("B1", "B2", "B3", "B4", "B5"):
        buyer(number)
    listing()
    listing("L2")
    listing("L3", "M2")
    publish(offer("o", **{**PARTS, **parts}))


def order(number: str, paid: str, by: str | None = "B1", *listings: str, of: str = "M1", **fields: Any) -> None:
    """Record an order of a buyer that is first paid at an instant, with items of listings."""
    trade(number, of, buyer_id=by, **fields)
    receipt(f"R{number}", number, paid)
    for one in listings or ("L1",):
        item(number, one)


def test_the_row_in_force_with_the_lowest_key_is_found_and_its_limit_holds() -> None:
    given()
    store_discount("D1", "50", starts_at="06")  # not in force yet
    store_discount("D2", "30", ends_at="05")  # ends at the very instant of a claim
    store_discount("D3", "10.5", stock=2)
    store_discount("D4", "20", stock=9)  # never found while D3 is in force, also when nothing is left of that
    order("T1", "04 23:59", "B1", "L1", "L2")
    order("T2", "05", "B2")
    order("T3", "05 01:00", "B3")
    order("T4", "05 02:00", "B4")
    tick("05 12:00")
    assert grants() == {
        ("o", "T1/L1"): "settled 30.00 USD",
        ("o", "T2/L1"): "settled 10.50 USD",
        ("o", "T3/L1"): "settled 10.50 USD",
    }
    assert outcomes("o")["T4/L1"] == "holder_cap"
    assert outcomes("o")["T1/L2"] == "refused"
    result = explain(published_offers.find("o"), "T4/L1", at=t("06")).conditions[-1]
    assert (result.name, result.asked.value, result.found, result.shortfall) == ("quota", 2, 3, 1)
    correct(TradeOrder, "T2", cancelled_at="05 13:00")
    order("T5", "05 12:59", "B5")
    order("T6", "05 13:00", "B4")  # its earlier order keeps the buyer from being new
    tick("05 14:00")
    assert outcomes("o")["T5/L1"] == "holder_cap"
    assert outcomes("o")["T6/L1"] == "refused"
    assert {row.key: (row.taken, row.limit) for row in BandCounter.objects.all()} == {"D2": (1, 9), "D3": (1, 2)}


def test_the_database_refuses_more_than_the_fact_states() -> None:
    given()
    store_discount("D1", "10", stock=2)
    order("T1", "05")
    tick("06")
    row, terms = Offer.objects.get(), published_offers.find("o").terms
    (band,) = quota_bands.ids_of(row.pk, terms.limits.bands)

    def award(subject: str) -> None:
        steps = [StateChange(Grant.Status.SETTLED, t("06"), "settled at the claim")]
        units, limits = {f"{band}:D1": 1}, quota_bands.limits_of(terms, terms.limits.bands[0], ["D1"])
        limits = {f"{band}:{holder}": limit for holder, limit in limits.items()}
        grant = transitions.NewGrant(
            offer=row, subject=subject, merchant="M1", amount=Decimal(1), currency="USD", fee="item_amount",
            steps=steps, coupons=0, band_units=units, band_limits=limits,
        )  # fmt: skip
        transitions.award([grant])

    with transaction.atomic():
        award("X1")
        with pytest.raises(IntegrityError), transaction.atomic():
            award("X2")
        transaction.set_rollback(True)
    assert BandCounter.objects.get().taken == 1


def test_of_orders_first_paid_together_the_lowest_is_the_first_of_its_buyer() -> None:
    """At one instant the order with the lower number comes first, cancelled or not; 365 days later nothing counts."""
    given()
    store_discount("D1", "10", starts_at="2020-01-01")
    order("T2", "05", "B1")
    order("T1", "05", "B1", cancelled_at="04")
    order("T3", "05", "B1", of="M2")
    order("T4", "2021-09-06 12:00", "B2")
    order("T5", "2022-09-06 12:00", "B2")  # exactly 365 days after
    order("T6", "2021-09-06 12:00:01", "B3")
    order("T7", "2022-09-06 12:00:01", "B3")
    order("T8", "2022-09-06 12:00", "B3")  # 365 days without a second
    tick("2022-09-07")
    assert outcomes("o") == {
        "T1/L1": "granted", "T2/L1": "refused", "T3/L1": "granted", "T4/L1": "granted", "T5/L1": "refused",
        "T6/L1": "granted", "T8/L1": "refused", "T7/L1": "refused",
    }  # fmt: skip


@pytest.mark.parametrize(("which", "found"), [(", latest: starts_at", "D2"), (", earliest: starts_at", "D3")])
def test_the_latest_or_the_earliest_row_is_found(which: str, found: str) -> None:
    given(lookups=LOOKUP % which, conditions=f"[{{fact: store_discount, is: {found}}}]")
    for number, since in (("D1", "02"), ("D2", "03"), ("D3", "01"), ("D4", "03"), ("D5", "01")):
        store_discount(number, "10", starts_at=since)
    order("T1", "05")
    tick("06")
    assert grants() == {("o", "T1/L1"): "settled 10.00 USD"}


def _move_to(discount: str, to: str) -> None:
    correct(StoreDiscount, discount, listing_id=to)
    batch = StoreDiscount.objects.get(pk=discount).batch
    FormerParent.objects.create(batch=batch, parent=Listing._meta.db_table, key="L1")


@pytest.mark.parametrize(
    ("change", "is_marked"),
    [
        (lambda: correct(StoreDiscount, "D2", percent=Decimal(11)), True),
        (lambda: correct(StoreDiscount, "D2", ends_at="05"), True),
        (lambda: correct(StoreDiscount, "D2", ends_at="05 00:01"), False),
        (lambda: correct(StoreDiscount, "D2", stock=1), False),
        (lambda: store_discount("D1", "20"), True),
        (lambda: store_discount("D1", "20", starts_at="05 00:01"), False),
        (lambda: store_discount("D3", "20"), False),
        (lambda: store_discount("D1", "20", listing_id="L2"), False),
        (lambda: _move_to("D2", "L2"), True),
    ],
)
def test_a_corrected_or_late_row_is_followed(change: Any, is_marked: bool) -> None:
    given()
    store_discount("D2", "10")
    order("T1", "05")
    tick("06")
    assert grants() == {("o", "T1/L1"): "settled 10.00 USD"}
    change()
    tick("07")
    assert bool(review("T1/L1")) is is_marked
    assert (grants(), used("o")) == ({("o", "T1/L1"): "settled 10.00 USD"}, 1)


def test_a_late_row_makes_subjects() -> None:
    """A row that brings a subject into the scope lets it claim, at the instant at which it would have."""
    given(where="[{fact: store_discount, empty: no}]", conditions="everyone")
    order("T1", "05")
    tick("06")
    assert outcomes("o") == {}
    store_discount("D1", "10")
    tick("07")
    assert grants() == {("o", "T1/L1"): "settled 10.00 USD"}


def test_a_limit_that_a_fact_of_the_merchant_states() -> None:
    """The limit is the present value of the fact; without one there is none to take."""
    heading = HEADING + "attributes: {merchant: {places: {type: number, names: {en: Places, zh: 名额}}}}\n"
    merchant(attributes={"places": "2"})
    merchant("M2")
    listing()
    quota = "[{of: grants, at_most: {fact: merchant.attributes.places}, per: merchant, in: month}]"
    parts = {"claim": "{at: order.shipped_at}", "benefit": "{fee: item_amount, percent: 10}", "conditions": "everyone"}
    publish(offer("o", subject="order_item", settlement="", quota=quota, **parts), heading=heading)
    for number, of, day in (("T1", "M1", "04"), ("T2", "M1", "05"), ("T3", "M1", "06"), ("T4", "M2", "04")):
        trade(number, of, shipped_at=day)
        item(number)
    tick("07")
    assert outcomes("o") == {"T1/L1": "granted", "T2/L1": "granted", "T3/L1": "merchant_cap", "T4/L1": "merchant_cap"}
    found = published_offers.find("o")
    (usage,) = band_usage.usages([found], at=t("07"), merchant="M1")[found.id]
    assert (usage.shown_used, usage.shown_limit, usage.is_full) == ("2", "2", True)


def test_sentences_say_what_is_found() -> None:
    terms = read(f"{HEADING}offers:\n{offer('o', **PARTS)}").offers[0]
    with override("en"):
        said = describe_terms(terms)
        assert said.conditions[0] == (
            "store discount: of the same listing the one with the lowest number with: started and not ended"
        )
        assert said.quota == "at most as many as in “store discount stock” for each store discount"
    with override("zh-hans"):
        said = describe_terms(terms)
        assert said.conditions[0] == "店铺折扣：同一商品中编号最小且满足以下条件的一项：已开始，且未已结束"
        assert said.quota == "每个店铺折扣最多 “店铺折扣库存”所示数量"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"lookups": "{buyer: {of: store_discounts, by: listing, where: [{fact: ends_at, happened: no}]}}"},
            "buyer is a word",
        ),
        ({"lookups": LOOKUP % ", latest: started_at"}, "no instant 'started_at'"),
        (
            {"lookups": "{found: {of: trade_orders, by: buyer, where: [{fact: paid_at, happened: yes}]}}"},
            "of other merch",
        ),
        ({"lookups": "{found: {of: credentials, by: listing, where: [{fact: kind, is: aeo}]}}"}, "no holder 'listing'"),
        ({"claim": "{at: store_discount.starts_at}"}, "store_discount.starts_at is looked up"),
        ({"benefit": "{fee: item_amount, percent: {fact: store_discount.percnt}}"}, "no amount or number"),
        ({"quota": "[{of: grants, at_most: {fact: listing.moq}, per: store_discount}]"}, "cannot be the limit"),
        ({"quota": "[{of: grants, at_most: {fact: buyer.level}, per: buyer}]"}, "cannot be the limit"),
        ({"quota": "[{of: grants, at_most: {fact: store_discount.stock}}]"}, "cannot be the limit"),
    ],
)
def test_a_lookup_that_cannot_be_is_refused(parts: dict[str, str], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(f"{HEADING}offers:\n{offer('o', **{**PARTS, **parts})}")
    assert message in str(caught.value)


def test_facts_that_are_derived_decide_which_row_is_found() -> None:
    """The order that the buyer of a payment paid first: its first payment is derived from receipts itself."""
    merchant()
    buyer()
    for number, paid in (("T1", "04"), ("T2", "03"), ("T3", "06")):
        trade(number, buyer_id="B1", amount_usd=Decimal(100 * int(number[1])))
        receipt(f"R{number}", number, paid)
    lookups = (
        "{first_order: {of: trade_orders, by: [merchant, buyer], where: [{fact: first_payment_at, happened: yes},"
        " {fact: buyer.level, at_least: 0}], earliest: first_payment_at}}"
    )
    parts = {"claim": "{at: paid_at}", "conditions": "[{fact: first_order.amount_usd, at_least: 200.00}]"}
    benefit = "{fee: payment, amount: {fact: first_order.amount_usd}}"
    publish(offer("o", subject="buyer_payment", lookups=lookups, settlement="", **parts, benefit=benefit))
    for number, at in (("P1", "05"), ("P2", "02")):
        tell(
            BuyerPayment, payment_no=number, buyer_id="B1", order_id="T3", product="bnpl", amount_usd=Decimal(900),
            paid_at=at,
        )  # fmt: skip
    tick("07")
    assert grants() == {("o", "P1"): "settled 200.00 USD"}
    assert outcomes("o") == {"P1": "granted", "P2": "refused"}


def test_many_changes_of_two_lookups_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many keys lie in temporary tables, one for each lookup: a later one does not take the place of the first."""
    monkeypatch.setattr(key_set, "FEW", 0)
    more = "warning: {of: violations, by: listing, where: [{fact: found_at, happened: yes}]}}"
    given(
        lookups=LOOKUP.removesuffix("}") % "" + ", " + more,
        conditions="[{fact: store_discount, empty: no}, {fact: warning, empty: yes}]",
    )
    store_discount("D1", "10")
    store_discount("D2", "10", listing_id="L2")
    order("T1", "05", "B1", "L1", "L2")
    tick("06")
    assert len(grants()) == 2
    correct(StoreDiscount, "D1", percent=Decimal(11))
    violation("X1", "02", listing_id="L2")
    tick("07")
    assert review("T1/L1")
    assert review("T1/L2")
