"""Suggestions: the nearest known word, or none."""

import pytest

from core.similar_words import nearest_word

KNOWN = ["merchant_country", "paid_at", "placed_at"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("paid_at", "paid_at"), ("pad_at", "paid_at"), ("merchantcountry", "merchant_country"), ("xyz", ""), ("", "")],
)
def test_the_nearest_known_word_is_suggested(word: str, nearest: str) -> None:
    assert nearest_word(word, KNOWN) == nearest
    assert nearest_word(word, dict.fromkeys(KNOWN, 0)) == nearest


def test_a_bound_may_ask_for_more_likeness() -> None:
    assert nearest_word("abcdefgh", ["abcdexyz"], least_similarity=62.5) == "abcdexyz"
    assert nearest_word("abcdefgh", ["abcdexyz"], least_similarity=62.6) == ""


def test_nothing_known_suggests_nothing() -> None:
    assert nearest_word("paid_at", []) == ""
