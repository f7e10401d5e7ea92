"""A world as plain data: offers as they are written in YAML, and the steps of its history in order."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.worlds.values import LISTS
from tests.worlds.yaml_text import flow

Row = dict[str, str]
OfferData = dict[str, Any]
Sections = dict[str, Any]
"""Other sections of the campaign by name: lists of items, or declared facts and measures by name."""


@dataclass(frozen=True)
class Step:
    """One step: `verb` at the instant `at`.

    `target` is the file of an import, the offer of an operator's act, the subject type of a claim; `key` the subject.
    `terms` are the parts of the offer that another version replaces.
    """

    verb: str
    at: datetime
    target: str = ""
    key: str = ""
    row: Row = field(default_factory=dict)
    terms: OfferData = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z", self.verb, self.target, self.key]
        parts += [",".join(f"{name}={value}" for name, value in self.row.items() if value)]
        parts += [flow(self.terms)] if self.verb == "publish" else []
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class World:
    """Offers and a history.

    In a `timely` world every fact is imported before the first tick and nobody acts: it must come out alike however
    often it ticks.
    """

    seed: int
    timely: bool
    offers: tuple[OfferData, ...]
    steps: tuple[Step, ...]
    windows: dict[str, dict[str, str]] = field(default_factory=dict)
    sections: Sections = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return max(step.at for step in self.steps)

    def copy(self, **changes: Any) -> "World":
        """Return a deep copy with other offers or steps."""
        return replace(deepcopy(self), **changes)

    def yaml(self, offers: tuple[OfferData, ...] | None = None) -> str:
        """Return the campaign as a YAML text."""
        head = "campaign: world\nnames: {en: World, zh: 世界}\nzone: UTC\n"
        head += f"windows: {flow(self.windows)}\n" if self.windows else ""
        head += f"lists: {flow(LISTS)}\n"
        head += "".join(f"{name}: {flow(section)}\n" for name, section in self.sections.items() if section)
        several = self.offers if offers is None else offers
        return head + "".join(["offers:\n" if several else "", *map(_offer_yaml, several)])

    def imports(self) -> Iterator[Step]:
        return (step for step in self.steps if step.verb == "import")

    def script(self) -> str:
        """Return the world in a form that a person can read and repeat."""
        return "\n".join([f"# world {self.seed}", self.yaml(), *map(str, self.steps)])


def _offer_yaml(offer: OfferData) -> str:
    lines = [f"{name}: {flow(value)}" for name, value in offer.items()]
    return "  - " + "\n    ".join(lines) + "\n"
