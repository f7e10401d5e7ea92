"""Errors of wrong documents: every one at once, at its place, in the author's words and language."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from ruamel.yaml import YAML

from definitions import parser, yaml_roundtrip
from definitions.errors import DefinitionError, Problem
from rules.errors import MOST_LISTED, UnknownWordError

TEXT = """\
campaign: trial
names: {en: Trial, zh: 试}
zone: America/Los_Angeles
windows:
  activity: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}
lists:
  lines: [a, b]
offers:
  - code: parcels
    names: {en: Parcels, zh: 小包}
    subject: freight_order
    where:
      - {fact: line, in: lines}
    claim: {at: paid_at}
    conditions:
      - {fact: placed_at, within: activity}
      - {fact: base_freight, at_least: 10.00}
      - {in_force: membership, of: [export_pass]}
      - {code: few, count: freight_templates, where: [{fact: line, is: a}], at_most: 2}
      - {code: either, any: [{fact: promo_flag, is: yes}, {fact: departed_at, happened: no}]}
    benefit: {fee: freight, currency: CNY, tiers: [{from: 10.00, amount: 1.00}, {from: 20.00, percent: 5}]}
    quota: {limit: 3, per_merchant: 1}
    settlement: {at: shipped_at, deadline: 2022-12-31 23:59:59, released_by: cancelled_at}
  - code: coupons
    names: {en: Coupons, zh: 券}
    subject: merchant
    where: all
    claim:
      nth: {number: 5, of: freight_orders, at: shipped_at, where: [{fact: service, is: express}]}
    decided_at: 2022-10-15 00:00:00
    conditions: everyone
    benefit:
      coupons:
        count: 8
        value: 25.00
        currency: CNY
        valid: {from: 2022-10-15 00:00:00, to: 2022-11-30 23:59:59}
        where: [{fact: base_freight, at_least: 300.00}]
  - code: fees
    names: {en: Fees, zh: 费}
    subject: trade_order
    where: [{fact: product, is: trade_assurance}]
    claim:
      over_threshold: {height: 40000.00, window: activity, where: [{fact: export_mode, is: self_operated}]}
    conditions: [{fact: destination, is: US}]
    benefit: {fee: service_fee, percent: 50}
scorecards:
  - code: stars
    names: {en: Stars, zh: 星}
    subjects: merchants
    where: all
    series: {official: {every: month, from: 2022-08-01 00:00:00}}
    levels: [{level: 0}, {level: 1, from: 50.00}]
    level: score
    score: sum
    metrics: [{code: paid_orders, count: trade_orders}]
    versions: [{parts: [{code: base, names: {en: Base, zh: 基}, points: 50.00}]}]
"""
PYDANTIC = re.compile(
    r"Input should|Extra inputs|Field required|valid (string|integer|number|boolean|dictionary|list|tuple)|"
    r"Unable to|Value error|should (have|match|be)|validation error|instance of|Tag|discriminator"
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")

QUOTA = "{limit: 3, per_merchant: 1}"
Row = tuple[str, str, str, str, str]
WRONG: dict[str, Row] = {
    # what: (replace, by, field, fragment of the message, nearest known word)
    "campaign key": ("campaign: trial", "campain: trial", "campain", "no field 'campain' here", "campaign"),
    "campaign code": ("campaign: trial", "campaign: Trial!", "campaign", "is not a code", ""),
    "name missing": ("{en: Trial, zh: 试}", "{en: Trial}", "names", "zh is missing", ""),
    "names as text": ("{en: Trial, zh: 试}", "Trial", "names", "a mapping (name: value) is expected, not 'Trial'", ""),
    "scorecard of a rating": (
        "[{fact: destination, is: US}]", "[{rating: starz, at_least: 1}]", "offers.2.conditions.0.rating",
        "'starz' is not among the campaign's scorecards", "stars",
    ),
    "level of a rating": (
        "[{fact: destination, is: US}]", "[{rating: stars, in: ['1', '7']}]", "offers.2.conditions.0.in.1",
        "stars has no level '7'", "",
    ),
    "number of a rating": (
        "[{fact: destination, is: US}]",
        "[{code: a, any: [{fact: is_rts, is: yes}, {rating: stars, of: orders, at_least: 1}]}]",
        "offers.2.conditions.0.any.1.of", "stars has no number 'orders'", "paid_orders",
    ),
    "zone": ("America/Los_Angeles", "America/Los_Angels", "zone", "unknown time zone", "America/Los_Angeles"),
    "windows as list": ("windows:\n  activity:", "windows:\n  - activity:", "windows", "a mapping", ""),
    "window key": ("{from: 2022-09-01", "{form: 2022-09-01", "windows.activity.form", "no field 'form'", "from"),
    "list as text": ("lines: [a, b]", "lines: a", "lists.lines", "a mapping (name: value) is expected, not 'a'", ""),
    "empty list": ("lines: [a, b]", "lines: []", "lists.lines", "too few entries: at least 1", ""),
    "offer key": ("    claim: {at", "    claims: {at", "offers.0.claims", "no field 'claims' here", "claim"),
    "subject": ("freight_order\n", "freight_orders\n", "offers.0.subject", "no subject", "freight_order"),
    "where as word": ("where: all\n    claim", "where: al\n    claim", "offers.1.where", "no word 'al' here", "all"),
    "where as mapping": ("[{fact: product, is: trade_assurance}]", "{fact: product}", "offers.2.where", "a list", ""),
    "where fact": ("{fact: line, in", "{fact: lien, in", "offers.0.where.0.fact", "no fact 'lien'", "line"),
    "fact key": ("{fact: line, in", "{fcat: line, in", "offers.0.where.0.fcat", "no field 'fcat'", "fact"),
    "claim as text": ("{at: paid_at}", "paid_at", "offers.0.claim", "a mapping (name: value) is expected", ""),
    "claim as list": ("{at: paid_at}", "[paid_at]", "offers.0.claim", "is expected, not a list", ""),
    "claim as nothing": ("{at: paid_at}", "", "offers.0.claim", "is expected, not nothing", ""),
    "claim form": ("      nth:", "      nht:", "offers.1.claim.nht", "no field 'nht' here", "nth"),
    "claim instant": ("{at: paid_at}", "{at: payd_at}", "offers.0.claim.at", "no instant 'payd_at'", "paid_at"),
    "moment key": (
        "{at: paid_at}", "{at: {latestof: [paid_at, shipped_at]}}", "offers.0.claim.at.latestof",
        "no field 'latestof'", "latest_of",
    ),
    "conditions as word": (
        "conditions: everyone", "conditions: evryone", "offers.1.conditions", "no word", "everyone",
    ),
    "condition as text": ("[{fact: destination, is: US}]", "[US]", "offers.2.conditions.0", "a mapping", ""),
    "operator": ("at_least: 10.00", "atleast: 10.00", "offers.0.conditions.1.atleast", "no field", "at_least"),
    "operator of another kind": ("at_least: 10.00", "is: big", "offers.0.conditions.1.is", "it takes no 'is'", ""),
    "amount": ("at_least: 10.00", "at_least: ten", "offers.0.conditions.1.at_least", "'ten' is not a number", ""),
    "amount as list": ("at_least: 10.00", "at_least: [1]", "offers.0.conditions.1.at_least", "not a list", ""),
    "signed zero": ("at_least: 10.00", "at_least: -0.00", "offers.0.conditions.1.at_least", "zero has no sign", ""),
    "amount with commas": ("at_least: 10.00", "at_least: 1e3", "offers.0.conditions.1.at_least", "not a number", ""),
    "window": ("within: activity", "within: activty", "offers.0.conditions.0.within", "not among", "activity"),
    "period of a fact": (
        "within: activity", "within: {firstdays: 9, after: paid_at}", "offers.0.conditions.0.within.firstdays",
        "no field", "first_days",
    ),
    "start of a period": (
        "within: activity", "within: {first_days: 9, after: payed_at}", "offers.0.conditions.0.within.after",
        "no instant 'payed_at'", "placed_at",
    ),
    "own period of a fact": (
        "within: activity", "within: own", "offers.0.conditions.0.within", "'own' is no period", "",
    ),
    "state": (
        "in_force: membership", "in_force: memberships", "offers.0.conditions.2.in_force", "no state", "membership",
    ),
    "state key": (
        "{in_force: membership", "{inforce: membership", "offers.0.conditions.2.inforce", "no field", "in_force",
    ),
    "kind of state": (
        "of: [export_pass]", "of: [export_pas]", "offers.0.conditions.2.of.0", "no membership", "export_pass",
    ),
    "counted rows": (
        "count: freight_templates", "count: freight_template", "offers.0.conditions.3.count", "no collection",
        "freight_templates",
    ),
    "counted fact": (
        "[{fact: line, is: a}]", "[{fact: lnie, is: a}]", "offers.0.conditions.3.where.0.fact", "no fact", "line",
    ),
    "count key": ("{code: few, count:", "{code: few, cuont:", "offers.0.conditions.3.cuont", "no field", "count"),
    "count of half": (
        "at_most: 2", "at_most: 2.5", "offers.0.conditions.3.at_most", "a whole number is expected", "",
    ),
    "fact of one of several": (
        "[{fact: promo_flag", "[{fact: promo", "offers.0.conditions.4.any.0.fact", "no fact", "promo_flag",
    ),
    "flag": ("is: yes}", "is: maybe}", "offers.0.conditions.4.any.0.is", "write yes or no, not 'maybe'", ""),
    "happened": (
        "happened: no", "happened: never", "offers.0.conditions.4.any.1.happened", "yes or no is expected", "",
    ),
    "fee": ("fee: freight", "fee: frieght", "offers.0.benefit.fee", "no fee", "freight"),
    "fee of another subject": (
        "fee: service_fee", "fee: freight", "offers.2.benefit.fee", "not of a trade_order", "",
    ),
    "currency": (
        "freight, currency: CNY", "freight, currency: CNX", "offers.0.benefit.currency", "no currency 'CNX'", "CNY",
    ),
    "currency in small letters": (
        "freight, currency: CNY", "freight, currency: cny", "offers.0.benefit.currency", "no currency 'cny'", "CNY",
    ),
    "currency of nobody": ("currency: CNY\n", "currency: ZZZ\n", "offers.1.benefit.coupons.currency", "ISO 4217", ""),
    "currency with three decimals": (
        "currency: CNY\n", "currency: KWD\n", "offers.1.benefit.coupons.currency", "three decimals", "",
    ),
    "tier key": (
        "{from: 10.00, amount", "{from: 10.00, amuont", "offers.0.benefit.tiers.0.amuont", "no field", "amount",
    ),
    "tiers as mapping": (
        "tiers: [{from: 10.00, amount: 1.00}, {from: 20.00, percent: 5}]", "tiers: {from: 1}",
        "offers.0.benefit.tiers", "a list is expected, not a mapping", "",
    ),
    "coupons key": ("      coupons:", "      coupon:", "offers.1.benefit.coupon", "no field 'coupon'", "coupons"),
    "coupon fact": (
        "at_least: 300.00}]", "atleast: 300.00}]", "offers.1.benefit.coupons.where.0.atleast", "no field", "at_least",
    ),
    "percent": ("percent: 50}", "percent: 150}", "offers.2.benefit.percent", "'150' is more than 100", ""),
    "percent sign": ("percent: 50}", "percent: 50%}", "offers.2.benefit.percent", "'50%' is not a number", ""),
    "quota key": ("{limit: 3", "{limits: 3", "offers.0.quota.limits", "no field", "limit"),
    "start for all": (
        QUOTA, "[{of: grants, from: 3, at_most: 2}]", "offers.0.quota.0.from", "the subjects of one holder", "",
    ),
    "start of money": (
        QUOTA, "[{of: amount, from: 3, at_most: 2, currency: CNY}]", "offers.0.quota.0.from", "slices after a measure",
        "",
    ),
    "band without a limit": (QUOTA, "[{of: grants, per: merchant}]", "offers.0.quota.0", "at_most is missing", ""),
    "quota as number": ("{limit: 3, per_merchant: 1}", "3", "offers.0.quota", "a mapping", ""),
    "band of": (QUOTA, "[{of: grant, at_most: 3}]", "offers.0.quota.0.of", "no word", "grants"),
    "band key": (QUOTA, "[{of: grants, atmost: 3}]", "offers.0.quota.0.atmost", "no field", "at_most"),
    "band holder": (
        QUOTA, "[{of: grants, at_most: 3, per: merchants}]", "offers.0.quota.0.per", "no holder", "merchant",
    ),
    "band period": (QUOTA, "[{of: grants, at_most: 3, in: months}]", "offers.0.quota.0.in", "no period", "month"),
    "band number": (QUOTA, "[{of: grants, at_most: 3.5}]", "offers.0.quota.0.at_most", "3.5 is not a whole", ""),
    "band without currency": (QUOTA, "[{of: amount, at_most: 3.00}]", "offers.0.quota.0", "needs a currency", ""),
    "band in part": (
        QUOTA, "[{of: grants, at_most: 3, last: partly}]", "offers.0.quota.0.last", "only a band of: amount", "",
    ),
    "band currency": (
        QUOTA, "[{of: amount, at_most: 3.00, currency: USD}]", "offers.0.quota.0.currency", "another currency", "",
    ),
    "band twice": (
        QUOTA, "[{of: grants, at_most: 3}, {of: grants, at_most: 2}]", "offers.0.quota.1", "two bands limit", "",
    ),
    "settlement key": (
        "released_by: c", "releasedby: c", "offers.0.settlement.releasedby", "no field", "released_by",
    ),
    "settlement fact": (
        "released_by: cancelled_at", "released_by: canceled_at", "offers.0.settlement.released_by", "no instant",
        "cancelled_at",
    ),
    "deadline": (
        "deadline: 2022-12-31", "deadline: 2022-12-32", "offers.0.settlement.deadline", "is not a time like", "",
    ),
    "date": ("to: 2022-09-30", "to: 2022-09-31", "windows.activity.to", "not a date of the calendar", ""),
    "start at the end of a day": (
        "from: 2022-09-01 00:00:00", "from: 2022-09-01 24:00", "windows.activity.from", "24:00 is always an end", "",
    ),
    "n-th instant": (
        "at: shipped_at, where", "at: shiped_at, where", "offers.1.claim.nth.at", "no instant", "shipped_at",
    ),
    "n-th number": ("number: 5", "number: five", "offers.1.claim.nth.number", "'five' is not a number", ""),
    "threshold key": ("{height: 4", "{hight: 4", "offers.2.claim.over_threshold.hight", "no field", "height"),
    "threshold value": (
        "is: self_operated", "is: self_operate", "offers.2.claim.over_threshold.where.0.is", "export_mode is never",
        "self_operated",
    ),
    "country": (
        "{fact: destination, is: US}", "{fact: destination, is: UK}", "offers.2.conditions.0.is", "no country 'UK'",
        "GB",
    ),
    "country by name": (
        "{fact: destination, is: US}", "{fact: destination, in: [DE, Usa]}", "offers.2.conditions.0.in.1",
        "no country 'Usa'", "US",
    ),
    "key twice": ("quota: {limit: 3", "quota: {limit: 2, limit: 3", "offers.0.quota", "'limit' is written twice", ""),
    "code twice": ("code: fees", "code: coupons", "offers.2.code", "two offers or documents are called coupons", ""),
}  # fmt: skip


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionError) as refused:
        parser.read(text)
    return refused.value.problems


def replaced(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_the_text_is_right() -> None:
    assert [offer.code for offer in parser.read(TEXT).offers] == ["parcels", "coupons", "fees"]


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_document_names_place_word_and_nearest_word(what: str) -> None:
    old, new, field, message, nearest = WRONG[what]
    text = replaced((old, new))
    found = problems_of(text)
    [problem] = [fault for fault in found if fault.field == field and message in fault.message]
    assert problem.nearest == nearest
    assert nearest in problem.message
    first = text[: TEXT.index(old)].count("\n") + 1
    assert problem.line in range(first, first + 2 + new.count("\n"))
    assert [str(fault) for fault in found if PYDANTIC.search(str(fault))] == []


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_document_is_explained_in_chinese(what: str) -> None:
    text = replaced(WRONG[what][:2])
    with translation.override("zh-hans"):
        found = problems_of(text)
        assert [fault.message for fault in found if not CHINESE.search(fault.message)] == []
    assert {(fault.line, fault.column, fault.field) for fault in found} == {
        (fault.line, fault.column, fault.field) for fault in problems_of(text)
    }


TOGETHER = [
    "zone", "where fact", "claim instant", "operator", "window", "kind of state", "counted fact", "count of half",
    "fact of one of several", "fee", "settlement fact", "n-th instant", "coupon fact", "currency of nobody",
    "threshold value", "fee of another subject", "country", "quota key", "key twice",
]  # fmt: skip


def test_errors_of_words_facts_and_values_in_several_offers_are_reported_together() -> None:
    pairs = [WRONG[what][:2] for what in TOGETHER if what not in ("quota key", "key twice")]
    found = problems_of(replaced(*pairs, ("quota: {limit: 3", "quota: {limit: 2, limit: 3, limits: 1")))
    expected = {WRONG[what][2] for what in TOGETHER}
    assert {fault.field for fault in found} == expected
    assert len(found) == len(expected)
    assert [(fault.line, fault.column) for fault in found] == sorted((fault.line, fault.column) for fault in found)


def test_two_errors_in_one_condition_are_both_reported() -> None:
    found = problems_of(replaced(("{fact: base_freight, at_least: 10.00}", "{fact: base_fright, at_least: ten}")))
    assert {fault.field for fault in found} == {"offers.0.conditions.1.fact", "offers.0.conditions.1.at_least"}


def test_a_name_that_two_conditions_have_is_reported_at_the_second_beside_other_errors() -> None:
    found = problems_of(
        replaced(("{fact: placed_at, within: activity}", "{fact: base_freight, at_most: 99}"), ("limit: 3", "limit: x"))
    )
    assert {fault.field for fault in found} == {"offers.0.conditions.1", "offers.0.quota.limit"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value below `value`."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


TEXTS = ["", "x", "9" * 400, "-1", "0.5", "NaN", "claim", "2022-09-31 24:00"]
STRANGE: list[Any] = [None, *TEXTS, [], ["x"], [[]], {}, {"x": "y"}, {"at": []}]


def test_a_strange_value_at_any_place_is_refused_in_own_words_or_read() -> None:
    data = YAML(typ="base", pure=True).load(TEXT)
    every = list(places(data))
    for n, path in enumerate(every[:: max(1, len(every) // 150)]):
        for value in (STRANGE[n % len(STRANGE)], STRANGE[(n + 7) % len(STRANGE)]):
            changed = copy.deepcopy(data)
            parent = changed
            for part in path[:-1]:
                parent = parent[part]
            parent[path[-1]] = value
            try:
                parser.read(yaml_roundtrip.dump_json(changed))
            except DefinitionError as error:
                assert error.problems, path
                assert not PYDANTIC.search(str(error)), (path, value, str(error))


@pytest.mark.parametrize("key", ["x" * 900, "atleast", "·", "1"])
def test_thousands_of_unknown_words_are_reported_quickly_and_in_part(key: str) -> None:
    condition = "".join(f"{{fact: base_fright, {key}{n}: 1}}, " for n in range(1500 if len(key) < 10 else 150))
    found = problems_of(replaced(("[{fact: destination, is: US}]", f"[{condition}]")))
    assert 100 < len(found) <= parser.MOST_PROBLEMS + 1
    assert all(len(fault.message) < 2000 for fault in found)


def test_a_message_lists_a_hundred_known_words_and_counts_the_rest() -> None:
    words = [f"w{n}" for n in range(MOST_LISTED + 1)]
    listed = ", ".join(words[:MOST_LISTED])
    assert str(UnknownWordError("no x", word="x", known=words[:MOST_LISTED])) == f"no x; known are: {listed}"
    assert str(UnknownWordError("no x", word="x", known=words)) == f"no x; known are: {listed} and 1 more"


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: [*a, *a]\n",
        "a: &a x\n",
        "&a a: b\n",
        "a: {<<: *b}\n",
        "a: !!set {x}\n",
        "a: !!python/object:os.system x\n",
        "x: [" + "a," * 30_000 + "]",
        "x: " + "[" * 60 + "]" * 60,
        "x: " + "{a: " * 5000,
        "x: " + "a" * 400_000,
    ],
    ids=range(10),
)
@pytest.mark.parametrize("read", [parser.read, yaml_roundtrip.load])
def test_a_text_that_stands_for_more_than_it_says_is_refused(read: Any, text: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(text)
    [problem] = refused.value.problems
    assert re.search("not allowed|values|nested|longer", problem.message)
