"""Shrinking: leave out parts of a failing world as long as it fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

from imports.registry import find_schema
from tests.worlds.world import World

OPTIONAL = {"decided_at", "settling_hours", "quota", "settlement"}
EMPTY = {"where": "all", "conditions": "everyone"}


def shrink(world: World, fails: Callable[[World], bool], *, seconds: float = 60) -> World:
    """Return a smaller world that still fails; stops after so many seconds."""
    end, progress = monotonic() + seconds, True
    while progress:
        progress = False
        for smaller in _smaller(world):
            if monotonic() > end:
                return world
            if fails(smaller):
                world, progress = smaller, True
                break
    return world


def _smaller(world: World) -> Iterator[World]:
    """Yield the world with something less, large parts first."""
    for n in range(len(world.offers)) if len(world.offers) > 1 or world.sections else ():
        yield world.copy(offers=world.offers[:n] + world.offers[n + 1 :])
    last = len(world.steps) - 1  # the last tick is the end of the history
    for size in (8, 4, 2, 1):
        for n in range(0, last, size):
            yield world.copy(steps=world.steps[:n] + world.steps[min(n + size, last) :])
    for name, section in world.sections.items():
        yield world.copy(sections={other: part for other, part in world.sections.items() if other != name})
        for rest in _without_one(section) if isinstance(section, list) else ():
            yield world.copy(sections={**world.sections, name: rest})
    for n, offer in enumerate(world.offers):
        for part in _smaller_offers(offer):
            yield world.copy(offers=(*world.offers[:n], part, *world.offers[n + 1 :]))
    for n, step in enumerate(world.steps):
        for terms in _without_key(step.terms):
            yield world.copy(steps=(*world.steps[:n], replace(step, terms=terms), *world.steps[n + 1 :]))
        for row in _smaller_rows(step.target, step.row) if step.verb == "import" else ():
            yield world.copy(steps=(*world.steps[:n], replace(step, row=row), *world.steps[n + 1 :]))


def _smaller_offers(offer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in OPTIONAL & set(offer):
        yield {key: part for key, part in offer.items() if key != name}
    for name, word in EMPTY.items():
        if isinstance(offer[name], list):
            yield {**offer, name: word}
            yield from ({**offer, name: rest} for rest in _without_one(offer[name]) if rest)
    for name in ("settlement", "quota"):
        parts = offer.get(name, {})
        for part in _without_one(parts) if isinstance(parts, list) else _without_key(parts):
            if part:
                yield {**offer, name: part}


def _without_one(parts: list[Any]) -> Iterator[list[Any]]:
    return (parts[:n] + parts[n + 1 :] for n in range(len(parts)))


def _without_key(parts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return ({key: part for key, part in parts.items() if key != name} for name in parts)


def _smaller_rows(file: str, row: dict[str, str]) -> Iterator[dict[str, str]]:
    schema = find_schema(file)
    for column in schema.columns:
        if row.get(column.name) and not schema.is_required(column):
            yield {**row, column.name: ""}
