"""Values that all parts of the offer form share: the campaign, messages, and the protocol of a part."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from django.utils.safestring import SafeString

from backoffice.offer_form.inputs import Choices, Label
from backoffice.offer_form.known_values import ValueCatalogue
from core.facts import Collection, DeclaredFacts
from core.formatting import CITIES


@dataclass(frozen=True)
class CampaignContext:
    """Properties of the campaign that the fields of an offer depend on.

    `lists` maps the key of each shared list to its values with their names, `list_names` to the name of the list,
    `measures` the key of each shared measure to its name, `windows` the key of each shared window to its dates.
    `declared` are the facts that the campaign declares.
    `checked`: missing values are shown as errors, because the person asked to save. `other_codes` are those of the
    other offers of the draft.
    """

    zone: str
    windows: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    list_names: dict[str, str] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)
    declared: DeclaredFacts = field(default_factory=dict)
    checked: bool = False
    is_published: bool = False
    other_codes: frozenset[str] = frozenset()

    @property
    def zones(self) -> Choices:
        """Return the time zones to choose from: that of the campaign first."""
        return [(zone, CITIES.get(zone, zone)) for zone in dict.fromkeys([self.zone, *CITIES])]

    def rows(self, collection: Collection) -> Collection:
        """Return a collection with the facts that the campaign declares."""
        return collection.with_declared(self.declared)

    @cached_property
    def values(self) -> ValueCatalogue:
        """Return the known values of facts."""
        return ValueCatalogue(self.lists)


@dataclass(frozen=True)
class Message:
    """Message at a field. `suggested` is the name of a known value; `use` is what its button sends."""

    text: Label
    suggested: str = ""
    use: str = ""


@dataclass(frozen=True)
class FieldProblem:
    """Entry of the error summary: the field with its label, and the message."""

    id: str
    label: Label
    message: Label


class Part(Protocol):
    """Form, or list of forms, inside another form."""

    def is_valid(self) -> bool: ...
    def problems(self) -> Iterator[FieldProblem]: ...
    def hidden_values(self) -> Iterator[SafeString]: ...
    def all_hidden(self) -> Iterator[SafeString]: ...
    @property
    def missing(self) -> int: ...
