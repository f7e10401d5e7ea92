"""Generated small worlds: neither the steps, nor the order of the facts, nor the size of the chunks matters."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model
from hypothesis import given
from hypothesis import strategies as st

from campaigns.allocation import quota_state
from campaigns.coupons import issuing, redemption
from campaigns.eligibility import threshold_tags
from campaigns.engine import claim_decisions, follow_grants
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Membership, Merchant
from tests.support.allocation_notation import brief
from tests.support.scenarios import wipe
from tests.support.world import everything, offer, publish, t, tick
from trade.models import FinancingDraw, Receipt, TradeOrder

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="tests/worlds has the same properties")]

FOLLOWED = "{locked_at: paid_at, at: departed_at, deadline: {at: 2022-09-08 23:59:59}, released_by: cancelled_at}"
MEMBER = "[{in_force: membership, of: [global_pass]}, {code: alive, fact: cancelled_at, happened: no}]"
OFFERS = "".join(
    (
        offer("early", claim="{at: placed_at}", where="[{fact: line, is: a}]", settlement=FOLLOWED, quota="{limit: 2}"),
        offer("paid", conditions=MEMBER, quota="{limit: 4, per_merchant: 2}"),
        offer("more", benefit="{fee: freight, currency: CNY, amount: 150.00}", quota="{per_merchant: 1}"),
        offer("drawn", decided_at="2022-09-06 12:00:00", benefit="{fee: freight, percent: 40}", quota="{limit: 1}"),
        offer(
            "coupons", subject="merchant", settlement="",
            claim="{nth: {number: 2, of: freight_orders, at: shipped_at, where: [{fact: cancelled_at, happened: no}]}}",
            benefit="{coupons: {count: 2, value: 25.00, currency: CNY, valid: {from: 2022-09-02 00:00:00,"
            " to: 2022-09-09 23:59:59}, where: [{fact: service, is: express}]}}",
        ),
        offer(
            "half", subject="trade_order", benefit="{fee: service_fee, percent: 50}",
            claim="{over_threshold: {height: 100.00, window: {from: 2022-09-01 00:00:00, to: 2022-09-08 23:59:59},"
            " where: [{fact: product, is: trade_assurance}]}}",
            settlement="{at: completed_at, released_by: cancelled_at, revoked_by: abnormal_at}",
        ),
        offer(
            "waiting", subject="trade_order", benefit="{fee: premium, percent: 50}", settling_hours="30",
            claim="{at: {latest_of: [buyer_confirmed_at, first_payment_at]}}", quota="{limit: 2}",
        ),
        offer(
            "draws", subject="financing_draw", claim="{at: drawn_at}", settlement="",
            benefit="{fee: financing_fee, percent: 10}", quota="{per_merchant: 1}",
            conditions="[{count: financing_draws, where: [{fact: drawn_at, within_hours: 36}], at_most: 0}]",
        ),
    )
)  # fmt: skip
CODES = ("M1", "M2", "M3")
END = t("12")
Facts = list[tuple[type[Model], dict[str, Any]]]

instants = st.integers(0, 9 * 12).map(lambda n: t("01") + timedelta(hours=2 * n))
moments = st.none() | instants
codes = st.sampled_from(CODES)


def freight_orders() -> st.SearchStrategy[dict[str, Any]]:
    at = dict.fromkeys(("placed_at", "paid_at", "shipped_at", "departed_at", "cancelled_at"), moments)
    return st.fixed_dictionaries(
        {"merchant_id": codes, "line": st.sampled_from("ab"), "use_coupon": st.booleans(), **at}
    ).map(lambda fields: {**fields, "paid_at": after(fields["placed_at"], fields["paid_at"])})


def after(first: Any, second: Any) -> Any:
    """Return the second instant, but not before the first: an order is paid after it is placed."""
    return max(first, second) if first and second else second


def trade_orders() -> st.SearchStrategy[dict[str, Any]]:
    at = dict.fromkeys(("buyer_confirmed_at", "completed_at", "cancelled_at", "abnormal_at"), moments)
    return st.fixed_dictionaries({"merchant_id": codes, **at})


def receipts() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "order": st.integers(0, 5),
            "kind": st.sampled_from(["first", "balance"]),
            "booked_at": instants,
            "cancelled_at": moments,
            "amount_usd": st.sampled_from([Decimal(30), Decimal(60), Decimal(110)]),
        }
    )


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    """Facts that refer to nothing but merchants and trade orders, in the order in which they are told."""
    facts: Facts = []
    for n, fields in enumerate(draw(st.lists(freight_orders(), max_size=10))):
        usual = {"order_no": f"F{n}", "service": "express", "base_freight": Decimal(1000), "currency": "CNY"}
        facts.append((FreightOrder, {**usual, **fields}))
    orders = draw(st.lists(trade_orders(), max_size=6))
    for n, fields in enumerate(orders):
        usual = {
            "order_no": f"T{n}",
            "product": "trade_assurance",
            "amount_usd": Decimal(9),
            "service_fee_usd": Decimal(100),
            "easy_return_premium_usd": Decimal(7),
        }
        facts.append((TradeOrder, {**usual, **fields}))
    for n, fields in enumerate(draw(st.lists(receipts(), max_size=8)) if orders else []):
        order = f"T{fields.pop('order') % len(orders)}"
        facts.append((Receipt, {"receipt_no": f"R{n}", "order_id": order, **fields}))
    for n, at in enumerate(draw(st.lists(instants, max_size=3))):
        facts.append((FinancingDraw, {"draw_no": f"D{n}", "merchant_id": "M1", "product": "other", "drawn_at": at,
                                      "fee": Decimal(50), "currency": "USD"}))  # fmt: skip
    return facts


def store(facts: Facts) -> None:
    """A world with its merchants, the offers, and these facts; M3 is a member only for a while."""
    one = ImportBatch.objects.create(source="world")
    for code in CODES:
        Merchant.objects.create(code=code, batch=one, country="CN")
        ends = t("04") if code == "M3" else None
        Membership.objects.create(batch=one, merchant_id=code, plan="global_pass", starts_at=t("01"), ends_at=ends)
    publish(OFFERS)
    for model, fields in facts:
        model._default_manager.create(batch=one, **fields)


def undone(test: Any) -> Any:
    """Run each generated example in a transaction of its own that is rolled back."""

    def run(*args: Any) -> None:
        with transaction.atomic():
            test(*args)
            transaction.set_rollback(True)

    return run


stops = st.sets(instants, max_size=6)


@given(worlds(), stops)
@brief(8)
def test_steps_do_not_matter(facts: Facts, ticks: set[Any]) -> None:
    undone(stepwise)(facts, ticks)


def stepwise(facts: Facts, ticks: set[Any]) -> None:
    store(facts)
    tick(END)
    at_once = everything()
    wipe()
    for at in sorted(ticks):
        tick(at)
    tick(END)
    assert everything() == at_once


@given(worlds(), stops, st.randoms(use_true_random=False))
@brief(4)
def test_the_order_of_the_rows_does_not_matter(facts: Facts, ticks: set[Any], dice: Any) -> None:
    results = []
    shuffled = list(facts)
    dice.shuffle(shuffled)
    shuffled.sort(key=lambda fact: fact[0] is Receipt)  # an order before its receipts
    for one in (facts, shuffled):

        def run(one: Facts = one) -> None:
            store(one)
            for at in [*sorted(ticks), END]:
                tick(at)
            results.append(everything())

        undone(run)()
    assert results[0] == results[1]


@given(worlds(), stops)
@brief(4)
def test_the_size_of_chunks_does_not_matter(facts: Facts, ticks: set[Any]) -> None:
    undone(chunked)(facts, ticks)


def chunked(facts: Facts, ticks: set[Any]) -> None:
    store(facts)
    tick(END)
    in_large = everything()
    wipe()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (claim_decisions, "CHUNK"),
            (quota_state, "CHUNK"),
            (follow_grants, "CHUNK"),
            (threshold_tags, "MERCHANTS_AT_ONCE"),
            (issuing, "GRANTS_AT_ONCE"),
            (redemption, "MERCHANTS_AT_ONCE"),
        ):
            patch.setattr(module, name, 2 if module is claim_decisions else 1)
        for at in [*sorted(ticks), END]:
            tick(at)
    assert everything() == in_large


@given(worlds(), stops, st.sets(st.integers(0, 5), max_size=3))
@brief(4)
def test_publishing_other_words_in_between_does_not_matter(facts: Facts, ticks: set[Any], when: set[int]) -> None:
    undone(republished)(facts, ticks, when)


def republished(facts: Facts, ticks: set[Any], when: set[int]) -> None:
    store(facts)
    tick(END)
    at_once = everything()
    wipe()
    publish(OFFERS)
    for n, at in enumerate([*sorted(ticks), END]):
        tick(at)
        if n in when:
            publish(OFFERS.replace("names: {en:", f"names: {{en: x{n}"))
    assert everything() == at_once
