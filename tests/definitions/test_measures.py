"""Measures in a campaign file: shared by name, stored whole, described in both languages, and refused with reasons."""

from typing import Any

import pytest
from django.utils import translation

from campaigns.offers import published_offers
from definitions import parser, warnings
from definitions.benefit_sentences import describe_benefit
from definitions.errors import DefinitionError, Problem
from definitions.offer_terms import OfferTerms
from rules.conditions import Measured
from rules.sentences import describe
from tests.support.world import HEADING, offer

pytestmark = pytest.mark.once(reason="reads definitions, no rows")

MEASURES = """
windows:
  spring: {from: 2022-03-01 00:00:00, to: 2022-05-31 23:59:59}
measures:
  growth: {percent: this_week, of: base_week, otherwise: 0.00}
  this_week: {sum: trade_orders.amount_usd, over: {period: week, at: shipped_at}}
  base_week: {names: {en: Base week, zh: 基准周}, sum: trade_orders.amount_usd, over: {period: spring, at: shipped_at}}
  on_time_rate:
    names: {en: On-time rate, zh: 准时发货率}
    share: trade_orders
    among: [{fact: drafted_at, happened: yes}]
    where: [{fact: shipped_at, by: completed_at}]
    over: {last_days: 90, at: drafted_at}
    otherwise: 0.00
"""
PARTS = {
    "subject": "trade_order",
    "claim": "{at: shipped_at}",
    "benefit": "{fee: service_fee, percent: 5}",
    "settlement": "",
}


def read(conditions: str, measures: str = MEASURES, **parts: str) -> OfferTerms:
    [terms] = parser.read(
        f"{HEADING}{measures}\noffers:\n{offer('o', conditions=conditions, **{**PARTS, **parts})}"
    ).offers
    return terms


def problems(conditions: str, measures: str = MEASURES) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionError) as error:
        read(conditions, measures)
    return error.value.problems


def test_a_named_measure_is_stored_whole_and_gives_the_condition_its_name() -> None:
    terms = read("[{measure: on_time_rate, at_least: 90.00}, {measure: growth, more_than: 10.00}]")
    stored: dict[str, Any] = published_offers.as_data(terms)
    assert [condition.name for condition in terms.own_conditions] == ["on_time_rate", "growth"]
    assert stored["conditions"][0] == {
        "measure": {
            "names": {"en": "On-time rate", "zh": "准时发货率"},
            "code": "on_time_rate",
            "share": "trade_orders",
            "among": [{"fact": "drafted_at", "happened": True}],
            "where": [{"fact": "shipped_at", "by": "completed_at"}],
            "over": {"period": {"last_days": 90}, "at": "drafted_at"},
            "otherwise": "0.00",
        },
        "at_least": "90.00",
    }
    assert OfferTerms.model_validate(stored) == terms  # without the campaign
    growth = terms.own_conditions[1]
    assert isinstance(growth, Measured)
    assert [part.name for part in growth.measure.rows()] == ["this_week", "base_week"]


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        (
            "{measure: on_time_rate, at_least: 90.00}",
            "On-time rate (share of trade orders; among those with: drafted; with: shipped no later than completed; "
            "drafted in the 90 days before) is at least 90%",
            "准时发货率（贸易订单占比；",
        ),
        (
            "{measure: this_week, more_than: 1000.00}",
            "sum of amount in USD of the trade orders; shipped in the same calendar week (UTC time) is more than "
            "1,000.00 USD",
            "合计",
        ),
        (
            "{measure: growth, at_most: 12.50}",
            "sum of amount in USD of the trade orders; shipped in the same calendar week (UTC time) in percent of "
            "Base week is at most 12.5%",
            "占基准周的百分比",
        ),
        (
            "{measure: {distinct: trade_orders.destination, over: {earlier: shipped_at}}, less_than: 3}",
            "number of different values of destination of the trade orders; shipped before this one is less than 3",
            "不同",
        ),
    ],
)
def test_sentences(condition: str, en: str, zh: str) -> None:
    terms = read(f"[{condition}]")
    assert describe(terms.own_conditions[0], terms.row) == en
    with translation.override("zh-hans"):
        assert zh in describe(terms.own_conditions[0], terms.row)


def test_sentences_of_benefits_along_a_measure() -> None:
    running = "{measure: {sum: trade_orders.amount_usd, over: {earlier: shipped_at}}}"
    by = f"{{fee: service_fee, by: {running}, tiers: [{{from: 1000, percent: 10}}]}}"
    after = f"{{fee: order_amount, after: {running}, slices: [{{from: 0, percent: 10}}, {{from: 500, percent: 0}}]}}"
    total = "sum of amount in USD of the trade orders; shipped before this one"
    for benefit, says in (
        (by, f"off the service fee, by the {total}: 10% from 1,000.00 USD"),
        (after, f"off the order amount, counted on from the {total}: 10% of the part from 0.00 USD to 500.00 USD"),
    ):
        terms = read("everyone", **{"benefit": benefit})
        assert describe_benefit(terms.benefit, terms.collection) == says


@pytest.mark.parametrize(
    ("benefit", "says"),
    [
        ("{fee: service_fee, percent: 5, by: {measure: base_week}}", "by belongs to tiers"),
        ("{fee: service_fee, by: {measure: no}, tiers: [{from: 1, percent: 5}]}", "'no' is not among the campaign's"),
        ("{fee: service_fee, after: {measure: growth}, slices: [{from: 1, percent: 5}]}", "USD, not –"),
        (
            "{fee: service_fee, by: {measure: {count: freight_orders, over: {earlier: paid_at}}}, "
            "tiers: [{from: 1, percent: 5}]}",
            "or of what they belong to",
        ),
    ],
)
def test_an_error_in_a_benefit_along_a_measure(benefit: str, says: str) -> None:
    with pytest.raises(DefinitionError) as error:
        read("everyone", **{"benefit": benefit})
    assert any(says in problem.message for problem in error.value.problems), error.value.problems


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("{measure: on_time, at_least: 1}", "'on_time' is not among the campaign's measures; known are: "),
        ("{measure: on_time_rate}", "say exactly one operator about on_time_rate; given: none"),
        ("{measure: {count: trade_orders}, at_least: 1.5}", "count_trade_orders is a whole number, not 1.5"),
        ("{measure: {count: trade_order}, at_least: 1}", "no collection to count 'trade_order'"),
        ("{measure: {cuont: trade_orders}, at_least: 1}", "no field 'cuont' here"),
        ("{measure: {sum: amount_usd}, at_least: 1}", "write the collection and a fact of its rows"),
        ("{measure: {sum: trade_orders.amout_usd}, at_least: 1}", "trade_orders have no fact 'amout_usd'"),
        ("{measure: {sum: trade_orders.product}, at_least: 1}", "product is choice: there is no sum of it"),
        ("{measure: {sum: freight_orders.base_freight}, at_least: 1}", "is in the currency of each row"),
        ("{measure: {share: trade_orders, otherwise: 0}, at_least: 1}", "where is missing"),
        ("{measure: {average: trade_orders.amount_usd}, at_least: 1}", "otherwise is missing"),
        ("{measure: {count: trade_orders, otherwise: 0}, at_least: 1}", "otherwise is not needed"),
        ("{measure: {count: trade_orders, sum: trade_orders.amount_usd}, at_least: 1}", "given: count, sum"),
        ("{measure: {count: trade_orders, over: {last_days: 9}}, at_least: 1}", "say either at or earlier"),
        ("{measure: {count: trade_orders, over: {at: shipped_at}}, at_least: 1}", "say which period"),
        ("{measure: {count: trade_orders, over: {last_day: 9, at: shipped_at}}, at_least: 1}", "no field 'last_day'"),
        ("{measure: {count: trade_orders, over: {period: mnth, at: shipped_at}}, at_least: 1}", "'mnth' is no period"),
        ("{measure: {count: trade_orders, over: {period: day, at: shiped_at}}, at_least: 1}", "no instant 'shiped_at'"),
        ("{measure: {count: freight_orders, over: {earlier: paid_at}}, at_least: 1}", "or of what they belong to"),
        ("{measure: {count: trade_orders, by: listing}, at_least: 1}", "trade_orders have no holder 'listing'"),
        ("{measure: {count: freight_orders, by: buyer}, at_least: 1}", "freight_orders have no holder 'buyer'"),
        ("{measure: {percent: growth, of: base_week, otherwise: 0}, at_least: 1}", "is a percentage of two measures"),
        (
            "{measure: {percent: base_week, of: {count: trade_orders}, otherwise: 0}, at_least: 1}",
            "there is no percentage of them",
        ),
    ],
)
def test_an_error_says_what_can_be_written(condition: str, says: str) -> None:
    found = problems(f"[{condition}]")
    assert any(says in problem.message for problem in found), [problem.message for problem in found]
    assert {problem.line for problem in found} == {25}


def test_an_error_in_a_shared_measure_is_reported_once_where_it_stands() -> None:
    broken = MEASURES.replace("by: completed_at", "by: complete_at").replace(
        "amount_usd, over: {period: week", "x, over: {period: week"
    )
    found = problems("[{measure: on_time_rate, at_least: 90.00}, {measure: growth, at_least: 1}]", broken)
    assert [(problem.line, problem.field) for problem in found] == [
        (9, "measures.this_week.sum"),
        (15, "measures.on_time_rate.where.0.by"),
    ]


def test_contradictions_are_named() -> None:
    either = "[{measure: on_time_rate, at_least: 90.00}, {code: b, measure: on_time_rate, less_than: 90.00}]"
    where = "[{fact: destination, is: US}, {fact: destination, is: DE}]"
    rows = f"[{{measure: {{count: trade_orders, where: {where}}}, at_least: 1}}]"
    for conditions, name in ((either, "on_time_rate"), (rows, "destination")):
        text = f"{HEADING}{MEASURES}\noffers:\n{offer('o', conditions=conditions, **PARTS)}"
        found = warnings.find_warnings(parser.read(text))
        assert any(f"the conditions on {name} contradict" in warning for warning in found)
