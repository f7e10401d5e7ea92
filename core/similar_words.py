"""Suggest a known word for one that is not known."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

LEAST_SIMILARITY = 60.0
"""Below this share of equal letters, in percent, two words are not taken for each other."""


def nearest_word(word: str, known: Iterable[str], *, least_similarity: float = LEAST_SIMILARITY) -> str:
    """Return the known word most like `word`, or "" if none is like it.

    Thousands of known words cost less than a millisecond: both sides may come from a file or a request.
    """
    match = process.extractOne(word, tuple(known), scorer=fuzz.ratio, score_cutoff=least_similarity)
    return match[0] if match else ""
