"""Known gaps: failures of worlds that wait to be mended, each by the name of its kind and with what is missing.

A test of a world that fails so is skipped and says why. Remove an entry with the fault; an empty list is the aim.
"""

GAPS: dict[str, str] = {}


def known_gap(kind: str) -> str:
    """Return what is missing where a failure of this kind is known, else an empty text."""
    return GAPS.get(kind, "")
