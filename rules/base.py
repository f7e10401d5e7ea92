"""What every part of a definition is made of: strict values, names in both languages, named lists."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from django.utils.translation import get_language
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema


class UnknownWordError(ValueError):
    """A word that a definition may not use here: `word` is the one written, `known` are those allowed."""

    def __init__(self, message: str, *, word: str, known: Iterable[str]) -> None:
        self.word = word
        self.known = tuple(known)
        super().__init__(f"{message}; known are: {', '.join(self.known) or 'none'}")


@dataclass(frozen=True)
class KnownWord:
    """Annotation of a text that must be a name in a registry; the JSON Schema lists the names as an enum.

    The registry is read when a definition is checked: apps add to it at start-up. `what` names the kind of word in
    the error, such as "subject". Raises UnknownWordError.
    """

    what: str
    registry: Callable[[], Mapping[str, object]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.registry())}

    def _check(self, word: str) -> str:
        known = self.registry()
        if word not in known:
            raise UnknownWordError(f"no {self.what} {word!r}", word=word, known=known)
        return word


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DefinitionModel(BaseModel):
    """Base of everything a definition may say: unknown fields are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Names(DefinitionModel):
    """A name in both languages."""

    en: Name
    zh: Name

    def __str__(self) -> str:
        return self.zh if (get_language() or "").startswith("zh") else self.en


class ValueList(DefinitionModel):
    """Values that a fact is compared with. A list of the campaign has a name, and its values may have labels."""

    names: Names | None = None
    values: tuple[str, ...] = Field(min_length=1)
    labels: dict[str, Names] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"values": value}
        if isinstance(value, dict) and isinstance(value.get("values"), dict):
            return {**value, "values": list(value["values"]), "labels": value["values"]}
        return value


def named(kind: str) -> BeforeValidator:
    """Read a name as what the campaign defines under it in `kind` (windows or lists)."""

    def resolve(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        known = (info.context or {}).get(kind, {})
        if value not in known:
            raise ValueError(f"{value!r} is not among the campaign's {kind}: {', '.join(known) or 'there are none'}")
        return known[value]

    return BeforeValidator(resolve, json_schema_input_type=Any)


NamedList = Annotated[ValueList, named("lists")]
