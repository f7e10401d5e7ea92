"""Declared attributes and event kinds as values: from a definition that is being read, or from what is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.facts import ATTRIBUTES, Choices, DeclaredFacts, Fact
from declarations.stored_values import DECIMALS, StoredValue, field_of, from_json

EVENT = "event"
"""RowKind of the attributes of events, of all kinds."""
EVENT_KIND = _("kind of event")


def _choose(en: str, zh: str) -> str:
    return zh if (get_language() or "").startswith("zh") else en


_in_both: Callable[[str, str], Any] = lazy(_choose, str)


def in_both(en: str, zh: str) -> Promise:
    """Return a label that is the name in the language in force."""
    label: Promise = _in_both(en, zh)
    return label


@dataclass(frozen=True)
class Attribute:
    """Attribute of the rows of one kind: `row_kind` is their word, `values` are the names of each value of a choice."""

    row_kind: str
    name: str
    type: str
    en: str
    zh: str
    values: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)

    @property
    def fact_name(self) -> str:
        """Return the name of the fact, and of the column of a file."""
        return f"{ATTRIBUTES}.{self.name}"

    @property
    def label(self) -> Promise:
        return in_both(self.en, self.zh)

    @property
    def choices(self) -> Choices:
        return tuple((value, in_both(*names)) for value, names in self.values.items())

    @property
    def fact(self) -> Fact:
        """Return the fact that conditions name."""
        return Fact(
            name=self.fact_name,
            kind=self.type,
            label=self.label,
            choices=self.choices,
            decimals=DECIMALS if self.type == "number" else 0,
            attribute=StoredValue(self.name, self.type),
        )

    def model_field(self) -> "models.Field[Any, Any]":
        """Return a model field, of no model, that says how a cell is parsed and shown."""
        return field_of(self.type, verbose_name=self.label, choices=self.choices or None)

    def read(self, attributes: Mapping[str, Any]) -> Any:
        """Return the value of the attribute among those that a row holds, None without one."""
        return from_json(attributes.get(self.name), self.type)


@dataclass(frozen=True)
class EventKind:
    """Kind of event, and the names of the attributes that its events may have."""

    kind: str
    en: str
    zh: str
    attributes: tuple[str, ...] = ()


def facts_of(attributes: Iterable[Attribute], kinds: Iterable[EventKind]) -> DeclaredFacts:
    """Return the facts of declared attributes by row_kind and name; those of events with the kinds as choices."""
    facts: dict[str, dict[str, Fact]] = {}
    for attribute in attributes:
        facts.setdefault(attribute.row_kind, {})[attribute.fact_name] = attribute.fact
    if choices := tuple((kind.kind, in_both(kind.en, kind.zh)) for kind in kinds):
        facts.setdefault(EVENT, {})["kind"] = Fact("kind", "choice", EVENT_KIND, choices)
    return facts
