"""Definitions with errors (case B10): each is refused with the place of every error and what is wrong."""

import pytest

from definitions import parser
from definitions.errors import DefinitionError, Problem

GOOD = """\
campaign: trial
names: {en: Trial, zh: 试}
zone: America/Los_Angeles
windows:
  w:
    from: 2022-09-01 00:00:00
    to: 2022-09-30 23:59:59
lists:
  lines: [a, b]
offers:
  - code: one
    names: {en: One, zh: 一}
    subject: freight_order
    where:
      - {fact: line, in: lines}
    claim: {at: paid_at}
    conditions:
      - {fact: paid_at, within: w}
      - {fact: base_freight, at_least: 10.00}
    benefit: {fee: freight, percent: 5}
    quota: {limit: 3, per_merchant: 1}
    settlement: {released_by: cancelled_at, released_after_settlement: yes}
"""
COUPONS = """{coupons: {count: 8, value: 25.00, currency: CNY,
      valid: {from: 2022-10-15 00:00:00, to: 2022-11-30 23:59:59}, where: [{fact: service, is: express}]}}"""


def line(text: str) -> int:
    """The number of the line of GOOD that begins like that."""
    return next(n for n, one in enumerate(GOOD.splitlines(), 1) if one.strip().startswith(text))


CASES: dict[str, tuple[str, str, str, str]] = {
    # what: (replace, by, line as it begins in GOOD, fragment of the message)
    "impossible date": ("to: 2022-09-30", "to: 2022-09-31", "to:", "2022-09-31 is not a date of the calendar"),
    "29 February": ("to: 2022-09-30", "to: 2027-02-29", "to:", "2027-02-29 is not a date of the calendar"),
    "month 13": ("from: 2022-09-01", "from: 2022-13-01", "from:", "is not a time like"),
    "hour 24": ("from: 2022-09-01 00:00:00", "from: 2022-09-01 24:00:00", "from:", "24:00 is always an end"),
    "date without time": ("from: 2022-09-01 00:00:00", "from: 2022-09-01", "from:", "is not a time like"),
    "empty window": ("to: 2022-09-30 23:59:59", "to: 2022-08-31 23:59:58", "w:", "the window is empty"),
    "unknown zone": ("America/Los_Angeles", "America/Los_Angels", "zone:", "unknown time zone"),
    "unknown window": ("within: w}", "within: v}", "- {fact: paid_at", "not among the campaign's windows"),
    "unknown list": ("in: lines", "in: lanes", "- {fact: line", "not among the campaign's lists"),
    "percent above 100": ("percent: 5", "percent: 101", "benefit", "is more than 100"),
    "percent 0": ("percent: 5", "percent: 0", "benefit", "is not more than 0"),
    "percent negative": ("percent: 5", "percent: -5", "benefit", "is not more than 0"),
    "percent NaN": ("percent: 5", "percent: NaN", "benefit", "'NaN' is not a number such as"),
    "no benefit": ("percent: 5", "currency: CNY", "benefit", "exactly one of percent, amount, price, tiers, slices"),
    "two benefits": ("percent: 5", "percent: 5, amount: 3, currency: CNY", "benefit", "exactly one of percent, amount"),
    "amount without currency": ("percent: 5", "amount: 3", "benefit", "a fixed amount needs a currency"),
    "tier gap": (
        "percent: 5",
        "currency: CNY, tiers: [{from: 1, below: 5, amount: 1}, {from: 6, amount: 2}]",
        "benefit",
        "tiers leave a gap between 5 and 6",
    ),
    "tier overlap": (
        "percent: 5",
        "currency: CNY, tiers: [{from: 1, below: 7, amount: 1}, {from: 6, amount: 2}]",
        "benefit",
        "tiers overlap between 7 and 6",
    ),
    "tiers out of order": (
        "percent: 5",
        "currency: CNY, tiers: [{from: 6, amount: 1}, {from: 1, amount: 2}]",
        "benefit",
        "tiers overlap: 1 comes after 6",
    ),
    "tier above 100": ("percent: 5", "tiers: [{from: 1, percent: 200}]", "benefit", "is more than 100"),
    "limit 0": ("limit: 3", "limit: 0", "quota", "is less than 1"),
    "limit negative": ("limit: 3", "limit: -1", "quota", "is less than 1"),
    "limit fraction": ("limit: 3", "limit: 3.5", "quota", "a whole number is expected, not '3.5'"),
    "cap 0": ("per_merchant: 1", "per_merchant: 0", "quota", "is less than 1"),
    "unknown fact": ("fact: base_freight", "fact: base_fright", "- {fact: base", "no fact 'base_fright'; known are"),
    "fact of another subject": ("fact: base_freight", "fact: amount_usd", "- {fact: base", "no fact 'amount_usd'"),
    "operator of another kind": ("at_least: 10.00", "is: x", "- {fact: base", "it takes no 'is'"),
    "instant compared": ("paid_at, within: w", "paid_at, at_least: 3", "- {fact: paid_at", "it takes no 'at_least'"),
    "two operators": ("at_least: 10.00", "at_least: 10, at_most: 20", "- {fact: base", "exactly one operator"),
    "no operator": (", at_least: 10.00", "", "- {fact: base", "exactly one operator"),
    "value never taken": (
        "- {fact: line, in: lines}",
        "- {fact: service, is: expres}",
        "- {fact: line",
        "service is never 'expres'",
    ),
    "negative amount": ("at_least: 10.00", "at_least: -10", "- {fact: base", "'-10' is less than 0"),
    "three decimals": ("at_least: 10.00", "at_least: 10.001", "- {fact: base", "more than 2 decimals"),
    "unknown field": (
        "quota: {limit: 3",
        "quota: {limt: 3",
        "quota",
        "no field 'limt' here; known are: limit, per_merchant",
    ),
    "unknown field of an offer": ("    quota:", "    qouta:", "quota", "no field 'qouta' here; known are: code"),
    "unknown claim instant": ("at: paid_at", "at: payed_at", "claim:", "have no instant 'payed_at'"),
    "claim at an amount": ("at: paid_at", "at: base_freight", "claim:", "have no instant 'base_freight'"),
    "wrong subject for the fee": ("fee: freight", "fee: premium", "benefit", "is a fee of a trade_order"),
    "unknown fee": ("fee: freight", "fee: fright", "benefit", "no fee 'fright'; known are: freight, service_fee"),
    "unknown subject": (
        "subject: freight_order",
        "subject: order",
        "subject",
        "no subject 'order'; known are: merchant, freight_order",
    ),
    "bad code": ("code: one", "code: One!", "- code", "is not a code: write small letters"),
    "release before settlement at the claim": (
        ", released_after_settlement: yes",
        "",
        "settlement",
        "released_by needs released_after_settlement",
    ),
    "deadline where settled at once": (
        "{released_by",
        "{deadline: 2022-10-31 23:59:59, released_by",
        "settlement",
        "settled at the claim",
    ),
    "locked without settlement": (
        "{released_by",
        "{locked_at: paid_at, released_by",
        "settlement",
        "settled at the claim",
    ),
    "not YAML": ("zone: America", "zone: [America", "", "not YAML"),
    "coupons end before issue": (
        "    benefit: {fee: freight, percent: 5}\n    quota: {limit: 3, per_merchant: 1}\n    settlement: "
        "{released_by: cancelled_at, released_after_settlement: yes}\n",
        f"    decided_at: 2022-12-05 00:00:00\n    benefit: {COUPONS}\n",
        "settlement",  # the line of `valid` in the new text
        "coupons end at 2022-11-30 23:59:59 before they are issued",
    ),
    "coupons end before they start": (
        "{fee: freight, percent: 5}",
        COUPONS.replace("2022-11-30", "2022-10-14"),
        "",
        "before they start",
    ),
    "too many coupons": (
        "{fee: freight, percent: 5}",
        COUPONS.replace("count: 8", "count: 0"),
        "",
        "is less than 1",
    ),
    "n-th row of an order": (
        "{at: paid_at}",
        "{nth: {number: 5, of: freight_orders, at: shipped_at, where: [{fact: line, is: a}]}}",
        "claim:",
        "only merchants claim by an n-th row",
    ),
    "n-th row by a derived instant": (
        "{at: paid_at}",
        "{nth: {number: 5, of: trade_orders, at: first_payment_at, where: [{fact: product, is: e_collection}]}}",
        "claim:",
        "trade_orders have no instant 'first_payment_at'",
    ),
    "threshold of a freight order": (
        "{at: paid_at}",
        "{over_threshold: {height: 5, window: w, where: [{fact: line, is: a}]}}",
        "claim:",
        "only trade orders come after a threshold",
    ),
    "unknown state": (
        "{fact: base_freight, at_least: 10.00}",
        "{in_force: membership, of: [gold]}",
        "- {fact: base",
        "no membership 'gold'",
    ),
    "count without bound": (
        "{fact: base_freight, at_least: 10.00}",
        "{count: freight_orders, where: [{fact: line, is: a}]}",
        "- {fact: base",
        "either at_least or at_most",
    ),
    "count of nothing known": (
        "{fact: base_freight, at_least: 10.00}",
        "{count: parcels, where: [{fact: line, is: a}], at_most: 0}",
        "- {fact: base",
        "no collection to count 'parcels'; known are: accounts, ",
    ),
    "the same condition twice": (
        "{fact: base_freight, at_least: 10.00}",
        "{fact: paid_at, happened: yes}",
        "- {fact: base",
        "two conditions are called paid_at",
    ),
    "claim to compare with inside a count": (
        "{fact: base_freight, at_least: 10.00}",
        "{count: freight_orders, where: [{fact: paid_at, not_before: claim}], at_most: 0}",
        "- {fact: base",
        "there is no claim here",
    ),
    "in force at a derived instant": (
        "{fact: base_freight, at_least: 10.00}",
        "{in_force: membership, of: [global_pass], at: first_payment_at}",
        "- {fact: base",
        "have no instant 'first_payment_at'",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_refused(what: str) -> None:
    old, new, begins, message = CASES[what]
    assert GOOD.count(old) == 1, old
    with pytest.raises(DefinitionError) as refused:
        parser.read(GOOD.replace(old, new))
    found = [(problem.line, problem.message) for problem in refused.value.problems]
    expected = {line(begins)} if begins else set(range(1, 40))
    assert any(message in text and number in expected for number, text in found), found


def test_the_unchanged_definition_is_valid() -> None:
    assert parser.read(GOOD).offers[0].code == "one"


STRUCTURE = {
    "a key twice": (
        "    subject: freight_order\n",
        "    subject: freight_order\n    subject: merchant\n",
        14,
        "'subject' is written twice",
    ),
    "empty conditions": (
        "      - {fact: paid_at, within: w}\n      - {fact: base_freight, at_least: 10.00}\n",
        "      []\n",
        17,
        "conditions is empty: write everyone if that is meant",
    ),
    "empty where": ("\n      - {fact: line, in: lines}\n", " []\n", 14, "where is empty: write all if that is meant"),
    "no conditions at all": (
        "    conditions:\n      - {fact: paid_at, within: w}\n      - {fact: base_freight, at_least: 10.00}\n",
        "",
        11,
        "conditions is missing",
    ),
    "no zone": ("zone: America/Los_Angeles\n", "", 1, "zone is missing"),
    "an offer twice": (
        "offers:\n",
        "offers:\n" + "\n".join(GOOD.splitlines()[10:]) + "\n",
        23,
        "two offers or documents are called one",
    ),
}


@pytest.mark.parametrize("what", STRUCTURE)
def test_refused_as_a_whole(what: str) -> None:
    old, new, number, message = STRUCTURE[what]
    assert GOOD.count(old) == 1
    with pytest.raises(DefinitionError) as refused:
        parser.read(GOOD.replace(old, new))
    found = [(problem.line, problem.message) for problem in refused.value.problems]
    assert any(message in text and at == number for at, text in found), found


@pytest.mark.parametrize(
    "text", ["", "[]", "- a", "a", "\0", "&a [*a]", "a: &x {b: *x}", "{" * 200, "x: !!python/object:os.system y"]
)
def test_nonsense_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(DefinitionError):
        parser.read(text)


def problems(*replacements: tuple[str, str]) -> tuple[Problem, ...]:
    """Return the errors of the good text after some replacements."""
    text = GOOD
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with pytest.raises(DefinitionError) as refused:
        parser.read(text)
    return refused.value.problems


def test_errors_of_all_parts_are_named_at_once() -> None:
    found = problems(
        ("to: 2022-09-30", "to: 2022-09-31"),
        ("limit: 3", "limit: 0"),
        ("percent: 5", "percent: 500"),
        ("{released_by", "{releasedby"),
    )
    fields = ["benefit.percent", "quota.limit", "settlement.releasedby"]
    assert [problem.field for problem in found] == ["windows.w.to", *(f"offers.0.{field}" for field in fields)]


def test_errors_between_parts_of_an_offer_are_named_at_once() -> None:
    found = problems(
        ("{fact: line, in: lines}", "{fact: lane, in: lines}"),
        ("at: paid_at", "at: payed_at"),
        ("fact: base_freight", "fact: base_fright"),
        ("fee: freight", "fee: premium"),
    )
    fields = ["where.0.fact", "claim.at", "conditions.1.fact", "benefit.fee"]
    assert [problem.field for problem in found] == [f"offers.0.{field}" for field in fields]


UNKNOWN_WORDS = {
    # what: (replace, by, column, field, nearest known word)
    "subject": ("subject: freight_order", "subject: freigt_order", 5, "offers.0.subject", "freight_order"),
    "fact": ("fact: base_freight", "fact: base_fright", 10, "offers.0.conditions.1.fact", "base_freight"),
    "fee": ("fee: freight", "fee: fright", 15, "offers.0.benefit.fee", "freight"),
    "field": ("{limit: 3", "{limt: 3", 13, "offers.0.quota.limt", "limit"),
    "instant": (
        "released_by: cancelled_at",
        "released_by: canceled_at",
        18,
        "offers.0.settlement.released_by",
        "cancelled_at",
    ),
    "window": ("within: w}", "within: ww}", 25, "offers.0.conditions.0.within", "w"),
    "list": ("in: lines", "in: line", 22, "offers.0.where.0.in", "lines"),
    "operator": ("at_least: 10.00", "atleast: 10.00", 30, "offers.0.conditions.1.atleast", "at_least"),
}


@pytest.mark.parametrize("what", UNKNOWN_WORDS)
def test_an_unknown_word_has_its_place_and_the_nearest_known_word(what: str) -> None:
    old, new, column, field, nearest = UNKNOWN_WORDS[what]
    [problem] = [problem for problem in problems((old, new)) if problem.word]
    assert (problem.line, problem.column, problem.field) == (line_with(old), column, field)
    assert problem.nearest == nearest
    assert problem.message.endswith(f"; did you mean {nearest!r}?")


def line_with(text: str) -> int:
    return GOOD[: GOOD.index(text)].count("\n") + 1


def test_a_broken_window_is_the_only_error_where_an_offer_uses_it() -> None:
    [problem] = problems(("to: 2022-09-30", "to: 2022-09-31"))
    assert str(problem) == "line 7, column 5, windows.w.to: 2022-09-31 is not a date of the calendar"


@pytest.mark.parametrize("fact", ["cancelled_at, happened: no", "completed_at, within: w"])
def test_a_threshold_adds_up_by_facts_that_do_not_change_with_time(fact: str) -> None:
    text = GOOD.replace("subject: freight_order", "subject: trade_order").replace("fee: freight", "fee: service_fee")
    text = text.replace("{fact: line, in: lines}", "{fact: product, is: trade_assurance}")
    text = text.replace("{fact: paid_at, within: w}", "{fact: drafted_at, within: w}").replace(
        "base_freight", "amount_usd"
    )
    text = text.replace("{at: paid_at}", f"{{over_threshold: {{height: 5, window: w, where: [{{fact: {fact}}}]}}}}")
    with pytest.raises(DefinitionError, match="changes with time"):
        parser.read(text)


@pytest.mark.parametrize("measures", ["a: {percent: a, of: a}", "a: {percent: b, of: b}, b: {percent: a, of: a}"])
def test_percentages_that_name_each_other_are_errors_at_their_places(measures: str) -> None:
    found = problems(("windows:\n", f"measures: {{{measures}}}\nwindows:\n"))
    assert {problem.line for problem in found} == {4}
    assert {problem.field for problem in found} >= {"measures.a.percent", "measures.a.of"}
