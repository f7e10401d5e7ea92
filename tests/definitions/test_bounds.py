"""Bounds of documents: what a definition may ask of the pages and of the tick."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from definitions import parser
from definitions.errors import DefinitionError
from definitions.scorecards.scoring import MOST_POINTS, Inputs, Scorer
from tests.support.world import HEADING

MEASURES = "measures:\n  aeo: {count: credentials, where: [{fact: kind, is: aeo}], by: merchant}\n"
LEVELS = "[{level: 0}, {level: 1, from: 40.00}]"
ONE = "{code: p, points: 1.00}"


def card(parts: str = ONE, *, levels: str = LEVELS, where: str = "all", metrics: str = "", versions: str = "") -> str:
    return f"""
scorecards:
  - code: stars
    names: {{en: Stars, zh: 星级}}
    subjects: merchants
    where: {where}
    series: {{official: {{every: month, from: 2022-08-01 00:00:00}}}}
    levels: {levels}
    level: lowest
    score: sum
    metrics: [{metrics}]
    versions: [{versions or f"{{parts: [{parts}]}}"}]
"""


def entitlement(n: int, conditions: str = "everyone", value: str = "1") -> str:
    names = "names: {en: e, zh: e}"
    return f"  - {{code: e{n}, {names}, holder: merchant, conditions: {conditions}, value: {value}}}\n"


def many(n: int, text: str) -> str:
    return ", ".join(text.replace("#", str(k)) for k in range(n))


def conditions(n: int) -> str:
    return f"[{many(n, '{code: c#, fact: merchant.country, is: CN}')}]"


def items(n: int) -> str:
    return ", ".join(f"{{code: a{k}, add: [{many(50, f'{{code: i{k}_#, points: 1.00}}')}]}}" for k in range(n // 51))


def bands(n: int) -> str:
    return f"{{measure: aeo, bands: [{many(n, '{from: #.5, points: 1.00}')}]}}"


def versions(n: int) -> str:
    later = (f"{{from: {2000 + k}-01-01 00:00:00, parts: [{ONE}]}}" for k in range(1, n))
    return ", ".join((f"{{parts: [{ONE}]}}", *later))


BOUNDS: dict[str, tuple[Callable[[int], str], int]] = {
    "levels": (lambda n: card(levels=f"[{{level: l}}, {many(n - 1, '{level: l#, from: #.5}')}]"), 100),
    "versions": (lambda n: card(versions=versions(n)), 50),
    "conditions on subjects": (lambda n: card(where=conditions(n)), 60),
    "conditions of an item": (lambda n: card(f"{{code: p, points: 1.00, where: {conditions(n)}}}"), 20),
    "bands of an item": (lambda n: card(bands(n)), 50),
    "items and bands": (lambda n: card(f"{items(459)}, {bands(n - 460)}"), 500),
    "entitlements": (lambda n: "entitlements:\n" + "".join(map(entitlement, range(n))), 200),
    "conditions of a document": (lambda n: "entitlements:\n" + entitlement(0, conditions(n)), 60),
    "conditions of a case": (
        lambda n: "entitlements:\n" + entitlement(0, value=f"{{cases: [{{when: {conditions(n)}, is: 1}}]}}"),
        20,
    ),
}


@pytest.mark.parametrize("what", BOUNDS)
def test_a_document_has_bounded_parts(what: str) -> None:
    write, most = BOUNDS[what]
    parser.read(HEADING + MEASURES + write(most))
    with pytest.raises(DefinitionError, match=f"at most {most}"):
        parser.read(HEADING + MEASURES + write(most + 1))


@pytest.mark.parametrize("character", ["\\n", "\\0", "\\u202e", "\\u2028"])
def test_a_name_is_one_line_that_turns_nothing(character: str) -> None:
    """Names stand in subjects of mails, in files and beside other names."""
    text = HEADING + "entitlements:\n" + entitlement(0)
    parser.read(text.replace("en: e", 'en: "e（一　二）\\u200d"'))
    with pytest.raises(DefinitionError, match="invisible character U\\+"):
        parser.read(text.replace("en: e", f'en: "e{character}e"'))


@pytest.mark.parametrize(("every", "in_force"), [("day", "week"), ("week", "{month_from: 5}"), ("month", "year")])
def test_no_two_ratings_start_together(every: str, in_force: str) -> None:
    text = HEADING + card().replace("every: month", f"every: {in_force}, in_force: {every}")
    parser.read(text)
    with pytest.raises(DefinitionError, match="two ratings would start together"):
        parser.read(HEADING + card().replace("every: month", f"every: {every}, in_force: {in_force}"))


def test_points_are_no_more_than_a_rating_holds() -> None:
    parts = f"{{measure: aeo, times: 1000000.00}}, {many(20, '{code: p#, points: 1000000.00}')}"
    [terms] = parser.read(HEADING + MEASURES + card(parts)).scorecards
    scored = Scorer(terms, 0).score(Inputs({"aeo": Decimal(10**12)}, {}, []))
    assert (scored.score, scored.parts[0].points, scored.parts[1].points) == (
        MOST_POINTS,
        MOST_POINTS,
        Decimal(1_000_000),
    )
