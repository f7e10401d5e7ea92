"""Declared facts of the definition that is being read: its parts check their conditions against them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from core.facts import DeclaredFacts

_declared: ContextVar[DeclaredFacts | None] = ContextVar("declared_facts", default=None)


@contextmanager
def declaring(facts: DeclaredFacts) -> Iterator[None]:
    """Let conditions that are read during the block name these facts."""
    token = _declared.set(facts)
    try:
        yield
    finally:
        _declared.reset(token)


def declared_facts() -> DeclaredFacts:
    """Return the declared facts of the definition that is being read."""
    return _declared.get() or {}


@dataclass(frozen=True)
class ReadWith:
    """Declared facts that a part of a definition was read with; they make no difference between two parts."""

    facts: DeclaredFacts = field(default_factory=declared_facts, compare=False)
