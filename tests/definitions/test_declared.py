"""Declarations of a definition: errors at their places, conflicts with what was published before, and versions."""

import sys
from datetime import UTC, datetime
from types import FrameType

import pytest

from campaigns.offers import publishing
from declarations.models import DeclaredAttribute
from definitions import declared, parser
from definitions.errors import DefinitionError
from definitions.json_schema import json_schema
from merchants.models import Merchant
from tests.support.world import merchant, offer

HEAD = "campaign: {code}\nnames: {{en: Trial, zh: 试}}\nzone: UTC\n"
ATTRIBUTES = """attributes:
  merchant:
    tier: {type: choice, names: {en: Tier, zh: 等级}, values: {gold: {en: Gold, zh: 金}, plain: {en: Plain, zh: 普通}}}
    opened_at: {type: instant, names: {en: Opened, zh: 开户}}
  trade_order:
    cord_cm: {type: number, names: {en: Cord, zh: 拉绳}}
    branded: {type: flag, names: {en: Branded, zh: 品牌}}
"""


def source(conditions: str = "everyone", attributes: str = ATTRIBUTES, code: str = "trial", **parts: str) -> str:
    words = {"claim": "{at: completed_at}", "benefit": "{fee: service_fee, percent: 10}", "settlement": "", **parts}
    text = offer(f"{code}-offer", subject="trade_order", conditions=conditions, **words)
    return f"{HEAD.format(code=code)}{attributes}offers:\n{text}"


def errors(text: str) -> list[str]:
    """Return the errors of a text; nothing of it is read from a database."""
    with pytest.raises(DefinitionError) as raised:
        parser.read(text)
    return [str(problem) for problem in raised.value.problems]


KNOWN = "attributes.cord_cm, attributes.branded, merchant.attributes.tier, merchant.attributes.opened_at"
CONDITIONS = {
    "{fact: attributes.cord_mc, at_least: 1}": (
        f"conditions.0.fact: trade_orders have no fact 'attributes.cord_mc'; known are: …{KNOWN}, benefit; "
        "did you mean 'attributes.cord_cm'?"
    ),
    "{fact: attributes.tier, is: gold}": (
        f"conditions.0.fact: trade_orders have no fact 'attributes.tier'; known are: …{KNOWN}, benefit; "
        "did you mean 'merchant.attributes.tier'?"
    ),
    "{fact: merchant.attributes.tier, is: golden}": (
        "conditions.0.is: merchant.attributes.tier is never 'golden'; known are: gold, plain; did you mean 'gold'?"
    ),
    "{fact: attributes.cord_cm, is: 1}": (
        "conditions.0.is: attributes.cord_cm is number: it takes no 'is'; known are: at_least, more_than, at_most, "
        "less_than, empty"
    ),
    "{fact: attributes.cord_cm, at_least: 1.00001}": "conditions.0.at_least: '1.00001' has more than 4 decimals",
    "{fact: attributes.cord_cm, at_least: 10000000000}": (
        "conditions.0.at_least: attributes.cord_cm is a number with at most 10 digits before the point"
    ),
    "{fact: amount_usd, at_least: 1.001}": "conditions.0.at_least: amount_usd: 1.001 has more than 2 decimals",
    "{fact: attributes.branded, is: gold}": (
        "conditions.0.is: attributes.branded is a flag: write yes or no, not 'gold'"
    ),
    "{fact: is_rts, empty: yes}": "conditions.0.empty: is_rts is flag: it takes no 'empty'; known are: is",
    "{in_force: membership, of: [export_pass], at: merchant.attributes.opened_at}": (
        "conditions.0.at: merchant.attributes.opened_at is a declared instant: conditions can compare it, but nothing "
        "can be timed by it"
    ),
    "{count: trade_orders, where: [{fact: attributes.cord, at_least: 1}], at_least: 1}": (
        f"conditions.0.where.0.fact: trade_orders have no fact 'attributes.cord'; known are: …{KNOWN}; "
        "did you mean 'attributes.cord_cm'?"
    ),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_an_error_in_a_condition_names_line_path_and_word(condition: str) -> None:
    [found] = errors(source(f"\n      - {condition}"))
    before, _, message = found.partition("offers.0.")
    assert before.startswith("line 18, column ")
    start, dots, end = CONDITIONS[condition].partition("…")
    assert message.startswith(start)
    assert message.endswith(end if dots else start)


def test_nothing_is_timed_by_a_declared_instant() -> None:
    [found] = errors(source(claim="{at: merchant.attributes.opened_at}"))
    assert "offers.0.claim.at: merchant.attributes.opened_at is a declared instant" in found


NAMES = "names: {en: N, zh: 名}"
DECLARATIONS = {
    f"attributes: {{merchants: {{x: {{type: flag, {NAMES}}}}}}}": (
        "line 4, column 14, attributes.merchants: no kind of row with attributes 'merchants'; known are: ",
        "did you mean 'merchant'?",
    ),
    f"attributes: {{merchant: {{x: {{type: nmber, {NAMES}}}}}}}": (
        "line 4, column 29, attributes.merchant.x.type: ",
        "did you mean 'number'?",
    ),
    f"attributes: {{merchant: {{x: {{type: choice, {NAMES}}}}}}}": (
        "line 4, column 25, attributes.merchant.x: a choice needs values",
        "",
    ),
    f"attributes: {{merchant: {{x: {{type: text, {NAMES}, values: {{a: {{en: A, zh: A}}}}}}}}}}": (
        "line 4, column 64, attributes.merchant.x.values: only a choice has values",
        "",
    ),
    f"attributes: {{merchant: {{Big-Name: {{type: flag, {NAMES}}}}}}}": (
        "line 4, column 25, attributes.merchant.Big-Name: 'Big-Name' is not a code",
        "",
    ),
    "attributes: {merchant: {x: {type: flag}}}": (
        "line 4, column 25, attributes.merchant.x: names is missing",
        "",
    ),
}


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_an_error_in_a_declaration_is_reported_once_at_its_place(declaration: str) -> None:
    """A condition on the attribute with the error is not reported too."""
    named = "[{fact: merchant.attributes.x, empty: no}]" if "Big" not in declaration else "everyone"
    found = errors(source(named, attributes=f"{declaration}\n"))
    own = [error for error in found if "offers.0" not in error]
    start, end = DECLARATIONS[declaration]
    assert len(own) == 1
    assert own[0].startswith(start)
    assert own[0].endswith(end)
    assert [error for error in found if "offers.0" in error] == [] or "merchants" in declaration


def test_an_offer_cannot_hold_declarations_of_its_own() -> None:
    assert "offers.0.declared: no field 'declared' here" in errors(source(declared="{}"))[0]
    properties = json_schema()["$defs"]["OfferTerms"]["properties"]
    assert "declared" not in properties
    assert "attributes" in json_schema()["properties"]


def publish(text: str) -> int:
    """Publish a text and return the number of new versions."""
    at = datetime(2022, 8, 1, tzinfo=UTC)
    return len(publishing.publish(parser.read(text), source=text, at=at, by="test"))


PLAIN = ", plain: {en: Plain, zh: 普通}"


@pytest.mark.django_db
def test_what_contradicts_an_earlier_declaration_is_refused_at_its_line() -> None:
    assert publish(source("[{fact: merchant.attributes.tier, is: gold}]")) == 1
    with pytest.raises(ValueError, match=r"line 9, column 5, attributes.trade_order.cord_cm: campaign trial declares"):
        publish(source(attributes=ATTRIBUTES.replace("cord_cm: {type: number", "cord_cm: {type: text"), code="other"))
    with pytest.raises(ValueError, match=r"attributes.merchant.tier: campaign trial declares .* choices gold, plain"):
        publish(source(attributes=ATTRIBUTES.replace(PLAIN, ""), code="other"))
    with pytest.raises(ValueError, match=r"line 9, .*trade_order cord_cm is a number: a type never changes"):
        publish(source(attributes=ATTRIBUTES.replace("cord_cm: {type: number", "cord_cm: {type: text")))
    assert set(DeclaredAttribute.objects.values_list("type", "campaign")) == {
        (type_, "trial") for type_ in ("choice", "instant", "number", "flag")
    }
    assert publish(source(code="other")) == 1  # the same declarations
    assert set(DeclaredAttribute.objects.values_list("campaign", flat=True)) == {"trial"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["tier", "contains", "isnull", "in", "has_key"])
def test_a_choice_that_rows_hold_cannot_be_left_out(name: str) -> None:
    """Some names are words of lookups in a JSON column."""
    attributes = ATTRIBUTES.replace("tier:", f"{name}:")
    publish(source(attributes=attributes))
    merchant(attributes={name: "plain"})
    less = source(attributes=attributes.replace(PLAIN, ""))
    with pytest.raises(ValueError, match=rf"line 6, .*rows hold these choices of merchant {name}.*: plain"):
        publish(less)
    more = source(attributes=attributes.replace(PLAIN, f"{PLAIN}, silver: {{en: Silver, zh: 银}}"))
    publish(more)
    assert list(DeclaredAttribute.objects.get(name=name).values) == ["gold", "plain", "silver"]
    Merchant.objects.update(attributes={name: "gold"})
    publish(less)
    assert list(DeclaredAttribute.objects.get(name=name).values) == ["gold"]


def test_many_attributes_of_many_conditions_are_looked_up_once() -> None:
    """The time of a definition grows with its length, not with attributes times conditions."""
    names = [f"a{n}" for n in range(declared.MOST_ATTRIBUTES)]
    attributes = "attributes:\n" + "".join(
        f"  {kind}: {{{', '.join(f'{name}: {{type: number, names: {{en: A, zh: A}}}}' for name in names)}}}\n"
        for kind in ("merchant", "trade_order")
    )
    conditions = ", ".join(f"{{fact: attributes.{name}, at_least: 1}}" for name in names[:60])
    campaign = source(f"[{conditions}]", attributes=attributes)
    read = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal read
        read += event == "call" and frame.f_code is declared.Attribute.declaration.__code__

    sys.setprofile(count)
    try:
        parser.read(campaign)
    finally:
        sys.setprofile(None)
    assert 0 < read < 20 * len(names)
