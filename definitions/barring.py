"""Conditions that hold for every promise without being written: the merchant is in no state that bars it."""

from collections.abc import Iterator
from itertools import chain, count
from typing import TypeVar

from core.facts import STATES
from rules.conditions import Comparison, InForce, Measured

C = TypeVar("C", Comparison, InForce, Comparison | Measured)


def barring_conditions() -> Iterator[InForce]:
    """Yield the condition of each state that bars merchants, such as a block by the platform."""
    for state in STATES.values():
        if state.bars:
            yield InForce(not_in_force=state.name, of=tuple(dict(state.choices)), code=f"no_{state.name}")


def with_free_code(condition: C, taken: set[str]) -> C:
    """Return the condition with a code that is not among those taken: its own name where that is free."""
    codes = chain([condition.name], (f"{condition.name}_{n}" for n in count(2)))
    code = next(code for code in codes if code not in taken)
    return condition if code == condition.name else condition.model_copy(update={"code": code})
