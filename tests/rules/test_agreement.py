"""Agreement of the readings of a condition: filter, explanation, bit of a refusal, and plain Python on the same rows."""
# ruff: noqa: E501  # a condition a line

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.eligibility import claims
from campaigns.offers import published_offers, publishing
from campaigns.offers.published_offers import PublishedOffer
from definitions import parser
from definitions.contradictions import find_contradiction
from rules.conditions import all_of
from rules.query_row import as_boolean
from tests.support.allocation_notation import brief
from tests.support.naive_rules import holds
from tests.support.scorecards import unrated
from tests.support.world import HEADING, PUBLISHED, offer

WINDOW = "{from: 2022-09-05 00:00:00, to: 2022-09-09 23:59:59}"

FREIGHT = """
{fact: service, is: express}
{fact: service, is_not: express}
{fact: service, in: [express, sea_fcl]}
{fact: service, not_in: [express]}
{fact: line, is: a}
{fact: line, is_not: a}
{fact: line, in: [a, b]}
{fact: line, not_in: [a, b]}
{fact: promo_flag, is: yes}
{fact: promo_flag, is: no}
{fact: base_freight, at_least: 100.00}
{fact: base_freight, more_than: 100.00}
{fact: base_freight, at_most: 100.00}
{fact: base_freight, less_than: 100.00}
{fact: merchant.country, is: CN}
{fact: merchant.country, is_not: CN}
{fact: merchant.logistics_partner, is: no}
{fact: merchant.category_l1, in_reference: covered}
{fact: merchant.category_l1, not_in_reference: covered}
{fact: merchant.category_l1, in_reference: nothing}
{fact: merchant.category_l1, empty: yes}
{fact: merchant.category_l1, empty: no}
{fact: base_freight, empty: yes}
{fact: benefit, at_least: 1.00}
{count: freight_orders, where: [{fact: line, empty: no}], at_least: 13}
{fact: shipped_at, within: WINDOW}
{fact: shipped_at, within: {calendar: day, zone: Asia/Shanghai}}
{fact: shipped_at, within: {month_from: 7}}
{fact: shipped_at, within: {sessions: [WINDOW, {from: 2022-09-12 00:00:00, to: 2022-09-30 23:59:59}]}}
{fact: shipped_at, within: {weekdays: [mon, wed], from: "10:00", to: "18:00"}}
{fact: shipped_at, within: {first_days: 2, after: placed_at}}
{count: freight_orders, where: [{fact: shipped_at, within: {first_days: 3, after: placed_at}}], at_least: 2}
{fact: shipped_at, from: 2022-09-05 00:00:00}
{fact: shipped_at, by: 2022-09-09 23:59:59}
{fact: shipped_at, not_before: claim}
{fact: shipped_at, not_before: 2022-09-05 00:00:00}
{fact: shipped_at, within_hours: 60}
{fact: shipped_at, by: departed_at}
{measure: {count: freight_orders, where: [{fact: service, is: express}], over: {last_days: 2, at: shipped_at}}, at_least: 2}
{measure: {count: freight_orders, over: {earlier: paid_at}}, less_than: 3}
{measure: {count: freight_orders, over: {period: day, earlier: paid_at}}, at_most: 1}
{measure: {distinct: freight_orders.line, over: {calendar: week, zone: Asia/Shanghai, at: paid_at}}, more_than: 1}
{measure: {distinct: trade_orders.category_l1}, at_least: 2}
{measure: {sum: freight_orders.base_freight, where: [{fact: currency, is: CNY}], over: {period: WINDOW, at: paid_at}}, more_than: 299.99}
{measure: {sum: freight_templates.rts_products}, at_least: 60}
{measure: {sum: trade_orders.service_fee_usd, over: {sessions: [WINDOW], at: shipped_at}}, at_most: 14.00}
{measure: {average: freight_orders.base_freight, where: [{fact: currency, is: USD}], otherwise: 100.00}, at_least: 100.00}
{measure: {average: trade_orders.easy_return_premium_usd, over: {month_from: 5, at: drafted_at}, otherwise: 0.00}, at_most: 4.99}
{measure: {average: freight_templates.rts_products, otherwise: 0.00}, at_least: 20.33}
{measure: {share: freight_orders, among: [{fact: shipped_at, happened: yes}], where: [{fact: shipped_at, by: paid_at}], over: {last_days: 90, at: shipped_at}, otherwise: 100.00}, at_least: 50.00}
{measure: {share: trade_orders, where: [{fact: first_payment_at, happened: yes}], otherwise: 0.00}, more_than: 66.66}
{measure: {latest: freight_orders.base_freight, where: [{fact: currency, is: CNY}], over: {weekdays: [mon, tue, wed], from: "10:00", to: "18:00", at: paid_at}, otherwise: 1.00}, at_least: 100.00}
{measure: {latest: freight_templates.rts_products, over: {period: year, at: configured_at}, otherwise: 0}, at_least: 20}
{measure: {percent: {sum: trade_orders.amount_usd, over: {last_days: 3, at: drafted_at}}, of: {sum: trade_orders.amount_usd}, otherwise: 0.00}, more_than: 33.33}
{code: either, any: [{fact: line, is: a}, {measure: {share: freight_orders, where: [{fact: line, is: b}], otherwise: 0.00}, less_than: 30.00}]}
{measure: {greatest: freight_orders.base_freight, where: [{fact: currency, is: USD}], over: {last_days: 3, at: paid_at}, otherwise: 0.00}, at_least: 100.00}
{measure: {greatest: freight_templates.rts_products, otherwise: 0}, at_most: 20}
{measure: {average: freight_templates.rts_products, times: 20, otherwise: 0.00}, at_least: 400.00}
{measure: {distinct: trade_orders.buyer.code, weight: {by: buyer.level, cases: {0: 10, 1: 20, 3: 40}, otherwise: 1}}, at_least: 61}
{measure: {distinct: trade_orders.buyer.code, weight: {by: buyer.country, cases: {US: 7}}, at_most: 20, where: [{fact: export_mode, is: self_operated}], over: {last_days: 9, at: drafted_at}}, more_than: 14}
{measure: {conversion: trade_orders.buyer.code, among: [{fact: export_mode, is: self_operated}], followed_by: [{fact: payment_product, is: TALC}], over: {last_days: 30, at: drafted_at}, otherwise: 0.00}, at_least: 33.33}
{measure: {conversion: freight_orders.line, among: [{fact: service, is: express}], followed_by: [{fact: shipped_at, happened: yes}], where: [{fact: promo_flag, is: yes}], over: {period: WINDOW, at: paid_at}, otherwise: 100.00}, less_than: 50.00}
{rating: stars, at_least: 3}
{rating: stars, more_than: 3}
{rating: stars, at_most: 0}
{rating: stars, is: 2}
{rating: stars, in: [1, 2]}
{rating: stars, of: score, less_than: 63.00}
{rating: stars, of: service_score, at_least: 80.50}
{rating: other, at_most: 5}
{code: either, any: [{rating: stars, at_least: 4}, {fact: line, is: b}]}
{fact: shipped_at, from: placed_at}
{fact: shipped_at, not_before: placed_at}
{fact: shipped_at, happened: yes}
{fact: shipped_at, happened: no}
{fact: paid_at, within: WINDOW}
{in_force: membership, of: [global_pass]}
{in_force: membership, of: [export_pass]}
{not_in_force: membership, of: [global_pass, export_pass]}
{not_in_force: penalty, of: [embargo]}
{in_force: service_package, of: [easy_return], at: shipped_at}
{not_in_force: service_package, of: [easy_return], at: shipped_at}
{not_in_force: penalty, of: [embargo], at: placed_at}
{count: freight_orders, where: [{fact: service, is: express}, {fact: shipped_at, within: WINDOW}], at_least: 1}
{count: freight_orders, where: [{fact: service, is: express}, {fact: shipped_at, within: WINDOW}], at_least: 3}
{count: freight_orders, where: [{fact: shipped_at, happened: yes}], at_most: 0}
{count: freight_orders, where: [{fact: cancelled_at, happened: no}], at_most: 9}
{count: freight_templates, where: [{fact: configured_at, within: WINDOW}, {fact: rts_products, at_least: 20}], at_least: 1}
{count: freight_templates, where: [{fact: rts_products, more_than: 20}], at_most: 1}
{count: financing_draws, where: [{fact: drawn_at, within_hours: 24}], at_least: 2}
{count: trade_orders, where: [{fact: first_payment_at, happened: yes}, {fact: product, is: trade_assurance}], at_least: 4}
{count: trade_orders, where: [{fact: merchant.country, is: CN}], at_least: 1}
{code: either, any: [{fact: line, is: a}, {fact: shipped_at, not_before: claim}]}
{code: either, any: [{fact: line, is_not: a}, {in_force: membership, of: [global_pass]}]}
{code: either, any: [{fact: line, is: c}, {code: inner, any: [{fact: promo_flag, is: yes}, {fact: shipped_at, happened: yes}]}]}
{code: either, any: [{count: freight_orders, where: [{fact: line, is: b}], at_least: 5}, {not_in_force: penalty, of: [embargo]}]}
"""
TRADE = """
{fact: export_mode, is: self_operated}
{fact: export_mode, is_not: self_operated}
{fact: payment_product, not_in: [TALC, TAPLC]}
{fact: amount_usd, at_most: 1000.00}
{fact: easy_return_premium_usd, at_least: 0.00}
{fact: easy_return_premium_usd, less_than: 5.00}
{fact: category_l1, in_reference: covered}
{fact: category_l1, not_in_reference: covered}
{fact: export_mode, empty: yes}
{fact: export_mode, empty: no}
{fact: payment_product, empty: yes}
{fact: easy_return_premium_usd, empty: yes}
{fact: easy_return_premium_usd, empty: no}
{fact: first_payment_at, within: WINDOW}
{fact: first_payment_at, by: 2022-09-09 23:59:59}
{fact: first_payment_at, happened: yes}
{fact: first_payment_at, happened: no}
{fact: first_payment_at, not_before: claim}
{fact: first_payment_at, by: drafted_at}
{fact: shipped_at, by: first_payment_at}
{fact: completed_at, within_hours: 1}
{fact: cancelled_at, happened: no}
{in_force: service_package, of: [easy_return], at: shipped_at}
"""
DRAWS = """
{fact: product, is: lc_post_document}
{fact: currency, is_not: CNY}
{fact: fee, more_than: 20}
{fact: drawn_at, within: WINDOW}
{count: financing_draws, where: [{fact: product, is: lc_post_document}, {fact: drawn_at, within_hours: 24}], at_most: 0}
{count: financing_draws, where: [{fact: drawn_at, within_hours: 8760}], at_least: 4}
"""
ITEMS = """
{fact: listing.category_l1, is: A}
{fact: listing.growth_score, at_least: 50.5}
{fact: listing.growth_score, empty: yes}
{fact: listing.price_tiers, at_least: 1}
{fact: listing.title_chars, at_most: 4}
{fact: order.first_payment_at, happened: yes}
{fact: order.amount_usd, at_most: 1000.00}
{fact: order.cancelled_at, not_before: claim}
{fact: buyer.level, at_least: 2}
{fact: buyer.level, empty: yes}
{fact: buyer.country, is_not: US}
{in_force: service_package, of: [easy_return], at: order.shipped_at}
{count: order_items, where: [{fact: listing.is_rts, is: yes}, {fact: order.shipped_at, happened: yes}], at_least: 3}
{count: order_items, where: [{fact: buyer.level, at_least: 2}], at_most: 3}
"""
SCORECARDS = unrated("stars", "other", metric="service_score")
SUBJECTS = {
    "order_item": ("order.buyer_confirmed_at", "{fee: item_amount, percent: 1}", ITEMS),
    "freight_order": ("paid_at", "{fee: freight, percent: 1}", FREIGHT),
    "trade_order": ("buyer_confirmed_at", "{fee: service_fee, percent: 1}", TRADE),
    "financing_draw": ("drawn_at", "{fee: financing_fee, percent: 1}", DRAWS),
}
ALL = [
    (subject, line.replace("WINDOW", WINDOW))
    for subject, (_, _, lines) in SUBJECTS.items()
    for line in lines.strip().splitlines()
]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crowd")]


def published(subject: str, conditions: str) -> PublishedOffer:
    claim, benefit, _ = SUBJECTS[subject]
    parts = {"subject": subject, "claim": f"{{at: {claim}}}", "benefit": benefit, "settlement": ""}
    scorecards = SCORECARDS if "rating:" in conditions else ""
    source = f"{HEADING}offers:\n{offer('o', conditions=conditions, **parts)}{scorecards}"
    publishing.publish(parser.read(source), source=source, at=PUBLISHED, by="test")
    return published_offers.find("o")


def readings(published_offer: PublishedOffer) -> tuple[set[Any], set[Any], set[Any], set[Any], int]:
    """Return the subjects that pass by filter, by explanation, by bits and by Python, and the number of all subjects."""
    rows = claims.subjects(published_offer).filter(claimed_at__isnull=False)
    passing = {row.pk for row in claims.eligible_claims(published_offer, rows)}
    bits = {row.pk: row.failed for row in claims.with_failed_conditions(published_offer, rows) if row.failed}
    flags = {
        f"flag_{n}": as_boolean(condition.q(published_offer.terms.row))
        for n, condition in enumerate(published_offer.terms.asked)
    }
    explained, naive, count = set(), set(), 0
    for row in rows.annotate(**flags):
        count += 1
        held = [getattr(row, name) for name in flags]
        assert all(value in (True, False) and value is not None for value in held)
        assert bits.get(row.pk, 0) == sum(1 << n for n, value in enumerate(held) if not value)
        explained |= {row.pk} if all(held) else set()
        met = [
            holds(condition, row, published_offer.terms.collection, row.claimed_at, published_offer.terms)
            for condition in published_offer.terms.asked
        ]
        naive |= {row.pk} if all(met) else set()
        assert [bool(value) for value in held] == met, row.pk
    everyone = {row.pk for row in rows}
    return passing, explained, everyone - set(bits), naive, count


@pytest.mark.parametrize(("subject", "condition"), ALL, ids=[condition for _, condition in ALL])
def test_all_readings_agree(subject: str, condition: str) -> None:
    passing, explained, not_failing, naive, count = readings(published(subject, f"[{condition}]"))
    assert passing == explained == not_failing == naive
    assert count >= 30, "too few rows to show a difference"


def test_every_operator_is_tested() -> None:
    from rules.operators import OPERATORS

    text = "\n".join(condition for _, condition in ALL)
    assert not [name for name in OPERATORS if f" {name.rstrip('_')}:" not in text]


@given(st.lists(st.sampled_from([c for s, c in ALL if s == "freight_order"]), min_size=2, max_size=5, unique=True))
@brief(8)
def test_readings_of_several_conditions_agree(conditions: list[str]) -> None:
    coded = [
        condition.replace("code: either", f"code: c{n}")
        if "code: either" in condition
        else f"{{code: c{n}, {condition[1:]}"
        for n, condition in enumerate(conditions)
    ]
    passing, explained, not_failing, naive, _ = readings(published("freight_order", f"[{', '.join(coded)}]"))
    assert passing == explained == not_failing == naive


@pytest.mark.once(reason="the filters are those of the readings above, which agree on PostgreSQL")
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_row_meets_two_conditions_that_are_said_to_contradict_each_other(subject: str) -> None:
    several = [published(subject, f"[{line}]") for of, line in ALL if of == subject]
    row, named = several[0].terms.row, 0
    for one, other in combinations([one.terms.own_conditions[0] for one in several], 2):
        if find_contradiction([one, other], row):
            named += 1
            rows = claims.subjects(several[0]).exclude(claimed_at=None)
            assert not rows.filter(all_of((one, other), row)).exists(), (one, other)
    assert named >= {"freight_order": 15, "trade_order": 3, "financing_draw": 0, "order_item": 0}[subject]
