"""Declarations of a definition: attributes of rows, and kinds of event with attributes of their own."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from core.declared_facts import declaring
from core.facts import ATTRIBUTES, MERCHANT, MERCHANT_PREFIX, DeclaredFacts, row_kinds
from declarations import attributes as declarations
from declarations.attributes import EVENT
from rules.base import DefinitionModel, KnownWord, Names
from rules.errors import ErrorCollector, UnknownWordError

MOST_ATTRIBUTES = 100
"""Attributes of one kind of row in a definition: a file has at most 200 columns."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
ChoiceValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]


def _rows_with_attributes() -> Mapping[str, object]:
    """Return the kinds of row of which attributes are declared by themselves: those of events belong to a kind."""
    return {row_kind: rows for row_kind, rows in row_kinds().items() if row_kind != EVENT}


RowKind = Annotated[str, KnownWord("kind of row with attributes", _rows_with_attributes)]


class Attribute(DefinitionModel):
    """Attribute: its type, its names, and the values of a choice with theirs."""

    type: Literal["number", "flag", "text", "choice", "instant"]
    names: Names
    values: dict[ChoiceValue, Names] = {}

    @model_validator(mode="after")
    def _values_of_a_choice(self) -> Self:
        errors = ErrorCollector()
        with errors.at("values"):
            if self.type == "choice" and not self.values:
                raise ValueError(_("a choice needs values: write each with its names"))
            if self.type != "choice" and self.values:
                raise ValueError(_("only a choice has values"))
        errors.raise_collected("Attribute")
        return self

    def declaration(self, row_kind: str, name: str) -> declarations.Attribute:
        """Return the attribute as an attribute of a kind of row."""
        values = {value: (names.en, names.zh) for value, names in self.values.items()}
        return declarations.Attribute(row_kind, name, self.type, self.names.en, self.names.zh, values)


Attributes = dict[Name, Attribute]


class EventKind(DefinitionModel):
    """Kind of event: its names and the attributes that its events may have."""

    names: Names
    attributes: Annotated[Attributes, Field(max_length=MOST_ATTRIBUTES)] = {}


class Declared(DefinitionModel):
    """Everything that a definition declares: attributes by kind of row, and kinds of event."""

    attributes: dict[RowKind, Annotated[Attributes, Field(max_length=MOST_ATTRIBUTES)]] = {}
    events: dict[Name, EventKind] = {}

    @model_validator(mode="after")
    def _same_in_all_kinds(self) -> Self:
        """Check that kinds of event that share an attribute agree on it: a file of events has one column for it."""
        errors, seen = ErrorCollector(), dict[str, tuple[str, Attribute]]()
        for kind, event in self.events.items():
            for name, attribute in event.attributes.items():
                other, first = seen.setdefault(name, (kind, attribute))
                with errors.at("events", kind, "attributes", name):
                    if (first.type, set(first.values)) != (attribute.type, set(attribute.values)):
                        words = {"name": name, "kind": other}
                        raise ValueError(_("%(name)s of %(kind)s has another type or other choices") % words)
        errors.raise_collected("Declared")
        return self

    def places(self) -> Iterator[tuple[declarations.Attribute, tuple[str, ...]]]:
        """Yield each attribute with its place in the definition; one that several kinds of event share comes once."""
        for row_kind, attributes in self.attributes.items():
            for name, attribute in attributes.items():
                yield attribute.declaration(row_kind, name), (ATTRIBUTES, row_kind, name)
        seen = set()
        for kind, event in self.events.items():
            for name, attribute in event.attributes.items():
                if name not in seen:
                    yield attribute.declaration(EVENT, name), ("events", kind, ATTRIBUTES, name)
                seen.add(name)

    def kinds(self) -> list[declarations.EventKind]:
        """Return the kinds of event."""
        return [
            declarations.EventKind(kind, event.names.en, event.names.zh, tuple(event.attributes))
            for kind, event in self.events.items()
        ]

    @cached_property
    def facts(self) -> DeclaredFacts:
        """Return the facts that conditions may name, by row_kind."""
        return declarations.facts_of([attribute for attribute, _place in self.places()], self.kinds())

    def used_by(self, offer: Mapping[str, object], measures: object = None) -> "Declared":
        """Return the declarations that an offer, as it is written, may name: its version does not depend on others.

        `measures` are those of the campaign, as they are written: an offer names what its measures name.
        """
        words = set(_texts(offer))
        for _step in range(2):  # a percentage names measures of rows
            words |= {text for name in words & {*_mapping(measures)} for text in _texts(_mapping(measures)[name])}
        facts = {word for word in words if ATTRIBUTES in word.split(".")[:-1]}
        named = {(row_kind, name) for fact in facts for row_kind, name in self._meant(fact)}
        if not all(map(self._meant, facts)):
            return self  # the error of an unknown name lists all that are known
        attributes = {
            row_kind: {name: attribute for name, attribute in declared.items() if (row_kind, name) in named}
            for row_kind, declared in self.attributes.items()
        }
        used = {row_kind: declared for row_kind, declared in attributes.items() if declared}
        names_events = {EVENT, "events"} & {word.partition(".")[0] for word in words}
        return Declared(attributes=used, events=self.events if names_events else {})

    def _meant(self, fact: str) -> list[tuple[str, str]]:
        """Return kind of row and name of each attribute that the name of a fact can mean."""
        prefix, _attributes, name = fact.rpartition(f"{ATTRIBUTES}.")
        of_merchant = prefix.endswith(MERCHANT_PREFIX)
        row_kinds = self._row_kinds.get(name, ())
        return [(row_kind, name) for row_kind in row_kinds if (row_kind == MERCHANT) == of_merchant]

    @cached_property
    def _row_kinds(self) -> Mapping[str, Sequence[str]]:
        """The kinds of row that have an attribute, by its name."""
        row_kinds: dict[str, list[str]] = {}
        for attribute, _place in self.places():
            row_kinds.setdefault(attribute.name, []).append(attribute.row_kind)
        return row_kinds


NOTHING = Declared()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


class WithDeclarations(DefinitionModel):
    """Part of a campaign that names declared facts.

    `declared` are the declarations of the campaign that it may name: with them a stored version can be read whatever
    was declared since.
    """

    declared: SkipJsonSchema[Declared] = NOTHING

    @model_validator(mode="wrap")
    @classmethod
    def _read_with_declarations(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Read the part with the declarations of its campaign, or those that a stored version holds."""
        if not isinstance(value, dict):
            return handler(value)
        if info.context is None or "declared" not in info.context:
            with declaring(_held_by(value).facts):
                return handler(value)
        if "declared" in value:
            errors = ErrorCollector()
            with errors.at("declared"):
                message = _("no field %(word)r here") % {"word": "declared"}
                raise UnknownWordError(message, word="declared", known=cls.field_words())
            errors.raise_collected(cls.__name__)
        used = info.context["declared"].used_by(value, info.context.get("raw_measures"))
        with declaring(used.facts):
            return handler({**value, "declared": used})

    @classmethod
    def field_words(cls) -> list[str]:
        """Return the fields as a definition writes them; `declared` is added when a campaign is read."""
        return [word for word in super().field_words() if word != "declared"]


def _held_by(value: dict[str, Any]) -> Declared:
    try:
        return Declared.model_validate(value.get("declared", NOTHING))
    except ValidationError:  # the terms have this error too
        return NOTHING


ATTRIBUTE: TypeAdapter[Any] = TypeAdapter(Attributes)
EVENTS: TypeAdapter[Any] = TypeAdapter(dict[Name, EventKind])


def valid_part(campaign: Mapping[str, Any]) -> Declared:
    """Return the declarations of a text that have no errors; those of the others are reported with the text's."""
    attributes: dict[str, Any] = {}
    for row_kind, name, value in _entries(campaign.get("attributes")):
        if row_kind in _rows_with_attributes() and _is_valid(ATTRIBUTE, {name: value}):
            attributes.setdefault(row_kind, {})[name] = value
    kinds = campaign.get("events")
    events = {
        kind: value
        for kind, value in (kinds.items() if isinstance(kinds, dict) else ())
        if _is_valid(EVENTS, {kind: value})
    }
    try:
        return Declared.model_validate({"attributes": attributes, "events": events})
    except ValidationError:
        return NOTHING


def broken(campaign: Mapping[str, Any], valid: Declared) -> set[str]:
    """Return the names of facts, and the kinds of event, that a text declares with errors."""
    names = {f"{ATTRIBUTES}.{name}" for _row_kind, name, _value in _entries(campaign.get("attributes"))}
    events = campaign.get("events")
    parts = {kind: value.get(ATTRIBUTES) for kind, value in _mapping(events).items() if isinstance(value, dict)}
    names |= {f"{ATTRIBUTES}.{name}" for _kind, name, _value in _entries(parts)}
    right = {attribute.fact_name for attribute, _place in valid.places()} | set(valid.events)
    return (names | {str(kind) for kind in _mapping(events)}) - right


def _entries(parts: object) -> Iterator[tuple[str, str, object]]:
    for row_kind, entries in _mapping(parts).items():
        for name, value in _mapping(entries).items():
            yield row_kind, name, value


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_valid(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
