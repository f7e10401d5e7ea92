"""Agreement of docs/definition.md with the code."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from core.facts import COLLECTIONS, FEES, STATES, SUBJECTS
from definitions import (
    allowances,
    benefits,
    case_numbers,
    declared,
    entitlements,
    offer_terms,
    quotas,
    yaml_roundtrip,
)
from definitions.parser import CampaignDefinition, read
from definitions.scorecards import parts, series, terms
from rules import (
    base,
    calendar_periods,
    conditions,
    lookups,
    measure_periods,
    measured,
    measures,
    moments,
    periods,
    time_windows,
    weights,
)
from rules.offer_facts import OFFER_FACTS
from rules.operators import OPERATORS
from tests.support.scorecards import unrated

PAGE = (Path(__file__).parents[2] / "docs" / "definition.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SCORECARDS = (parts, series, terms)
MEASURES = (measured, measures, weights, measure_periods, periods, calendar_periods)
WORDS = [
    model
    for module in (
        allowances,
        benefits,
        case_numbers,
        declared,
        entitlements,
        offer_terms,
        quotas,
        conditions,
        lookups,
        *MEASURES,
        *SCORECARDS,
        moments,
        time_windows,
        base,
    )
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, base.DefinitionModel) and model is not base.DefinitionModel
]


def is_on_page(word: str) -> bool:
    return re.search(rf"(`[^`\n]*|^\s*-? ?){{?\b{re.escape(word)}\b", PAGE, re.MULTILINE) is not None


@pytest.mark.parametrize("model", [*WORDS, CampaignDefinition], ids=lambda model: model.__name__)
def test_every_field_is_on_the_page(model: type[base.DefinitionModel]) -> None:
    assert {field for field in model.field_words() if not is_on_page(field)} == set()


def rows(heading: str) -> dict[str, set[str]]:
    """Return the table below a header that starts with `heading`: first cell to the words in code of the second."""
    table = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    cells = [row.strip("| ").split(" | ") for row in table]
    return {cell[0].strip("`"): set(re.findall(r"`([^`]+)`", cell[1])) for cell in cells}


def test_facts_are_those_of_the_code() -> None:
    own = {name: {fact.name for fact in collection.own_facts()} for name, collection in COLLECTIONS.items()}
    assert rows("collection") == {**own, "merchants": set(COLLECTIONS["merchants"].facts)}
    pointing = {name: {one.name for one in c.references} for name, c in COLLECTIONS.items() if c.references}
    assert rows("row") == pointing


def test_states_are_those_of_the_code() -> None:
    assert rows("state") == {name: {value for value, _ in state.choices} for name, state in STATES.items()}


def test_operators_and_their_operands_are_those_of_the_code() -> None:
    table = PAGE[PAGE.index("| operator |") :].split("\n\n")[0].splitlines()[2:]
    cells = [row.strip("| ").split(" | ") for row in table]
    documented = {cell[0].strip("`"): set(cell[1].split(", ")) for cell in cells}
    assert documented == {
        operator.name.rstrip("_"): set(operator.kinds) - ({"choice"} if "reference" in operator.name else set())
        for operator in OPERATORS.values()
    }


def test_fees_and_subjects_are_those_of_the_code() -> None:
    assert rows("`fee`") == {fee.name: {fee.subject} for fee in FEES.values()}
    assert all(f"`{name}`" in PAGE for name in (*SUBJECTS, *OFFER_FACTS))


def test_the_whole_campaign_of_the_page_is_read() -> None:
    text = read(next(block for block in BLOCKS if block.startswith("campaign:")))
    assert [one.code for one in text.offers] == ["heavy-10-off"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if not b.startswith("campaign:")], ids=range(len(BLOCKS) - 1))
def test_each_example_of_the_page_is_read(block: str) -> None:
    """Each part is put into an offer of its kind, which is read."""
    for part in YAML(typ="base", pure=True).load_all(block):
        read(campaign_with(part))


def campaign_with(part: object) -> str:
    """Return a campaign with one offer that has `part`: some words of an offer, or a list of conditions."""
    given: dict[str, Any] = dict(part) if isinstance(part, dict) else {"conditions": part}
    shared: dict[str, Any] = {word: given.pop(word) for word in SHARED if word in given}
    claim = given.get("claim", {})
    fee = given.get("benefit", {}).get("fee", "")
    subject = FEES[fee].subject if fee else "merchant" if "nth" in claim else given.get("subject", "trade_order")
    own: dict[str, dict[str, Any]] = {
        "freight_order": {"claim": {"at": "paid_at"}, "benefit": {"fee": "freight", "percent": "5"}},
        "trade_order": {"claim": {"at": "shipped_at"}, "benefit": {"fee": "premium", "percent": "5"}},
        "merchant": {"benefit": COUPONS},
    }
    base = {"code": "o", "names": NAMES, "subject": subject, "where": "all", "conditions": "everyone"}
    window = {"from": "2022-09-01 00:00:00", "to": "2022-09-30 23:59:59"}
    campaign = {"campaign": "c", "names": NAMES, "zone": "America/Los_Angeles", "windows": {"activity": window}}
    if "customization-stars" in str(given) and "scorecards" not in shared:
        shared["scorecards"] = YAML(typ="base", pure=True).load(RATINGS)["scorecards"]
    return yaml_roundtrip.dump_json({**campaign, **shared, "offers": [{**base, **own.get(subject, {}), **given}]})


RATINGS = unrated("customization-stars", metric="service_score")
SHARED = ("measures", "attributes", "events", "scorecards", "allowances", "entitlements")
NAMES = {"en": "n", "zh": "名"}
COUPONS = {
    "coupons": {
        "count": "1",
        "value": "5.00",
        "currency": "CNY",
        "valid": {"from": "2022-10-15 00:00:00", "to": "2022-11-30 23:59:59"},
        "where": [{"fact": "service", "is": "express"}],
    }
}
