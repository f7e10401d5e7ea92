"""Three-way merge of definitions: changes from a base, applied to another text."""

import pytest

from definitions import parser
from definitions.merge import merge
from tests.support.world import HEADING, offer

BASE = f"{HEADING}offers:\n{offer('one', quota='{limit: 6}')}{offer('two')}"


def merged(live: str, draft: str, base: str = BASE) -> tuple[dict[str, str], list[str]]:
    """Return benefit and limit of each offer of the merged text, and the conflicts."""
    text, conflicts = merge(base, live, draft)
    terms = parser.read(text).offers
    return {one.code: f"{one.benefit.percent} {one.quota.limit}" for one in terms}, conflicts  # type: ignore[union-attr]


UNCHANGED = {"one": "10 6", "two": "10 None"}


def test_without_a_change_the_live_text_stays() -> None:
    assert merge(BASE, BASE, BASE) == (BASE, [])
    assert merged(BASE, BASE) == (UNCHANGED, [])


def test_changes_of_one_side_are_kept() -> None:
    changed = BASE.replace("percent: 10", "percent: 11", 1)
    expected = {"one": "11 6", "two": "10 None"}
    assert merged(changed, BASE) == (expected, [])
    assert merged(BASE, changed) == (expected, [])


def test_changes_of_different_values_of_one_offer_are_combined() -> None:
    live, draft = BASE.replace("limit: 6", "limit: 60"), BASE.replace("percent: 10", "percent: 11", 1)
    assert merged(live, draft) == ({"one": "11 60", "two": "10 None"}, [])


def test_the_drafts_value_wins_and_is_named() -> None:
    live, draft = BASE.replace("limit: 6", "limit: 60"), BASE.replace("limit: 6", "limit: 7")
    assert merged(live, draft) == ({"one": "10 7", "two": "10 None"}, ["offers.one.quota.limit"])
    assert merged(draft, draft) == ({"one": "10 7", "two": "10 None"}, [])  # alike is no conflict


def test_added_and_removed_offers() -> None:
    without = f"{HEADING}offers:\n{offer('one', quota='{limit: 6}')}"
    more = BASE + offer("three")
    assert merged(more, BASE + offer("four")) == (
        {**UNCHANGED, "three": "10 None", "four": "10 None"},
        [],
    )
    assert merged(more, without) == ({"one": "10 6", "three": "10 None"}, [])
    changed = BASE.replace("percent: 10", "percent: 11")
    assert merged(changed, without) == ({"one": "11 6"}, ["offers.two"])


def test_without_a_base_every_difference_is_named() -> None:
    live, draft = BASE, BASE.replace("percent: 10", "percent: 11", 1)
    assert merged(live, draft, base="") == ({"one": "11 6", "two": "10 None"}, ["offers.one.benefit.percent"])


def test_names_and_comments_of_the_live_text_stay() -> None:
    live = BASE.replace("en: Trial", "en: Live") + "# a note\n"
    text, conflicts = merge(BASE, live, BASE.replace("percent: 10", "percent: 11", 1))
    assert "en: Live" in text
    assert "# a note" in text
    assert "percent: 11" in text
    assert conflicts == []


@pytest.mark.parametrize("order", [["two", "one"], ["one", "two"]])
def test_offers_are_matched_by_code(order: list[str]) -> None:
    live = f"{HEADING}offers:\n" + "".join(offer(code, quota="{limit: 6}" if code == "one" else "") for code in order)
    assert merged(live, BASE.replace("limit: 6", "limit: 7")) == ({"one": "10 7", "two": "10 None"}, [])
