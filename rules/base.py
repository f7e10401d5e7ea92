"""Parts that every definition is made of: strict models, words of a registry, names in both languages, named lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from django.utils.translation import get_language
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from rules.errors import UnknownWordError, as_detail, details_of

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DefinitionModel(BaseModel):
    """Base of every part of a definition: immutable; a field that it does not have is an UnknownWordError."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_fields(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            details = [cls._with_known_fields(detail) for detail in details_of(error)]
            raise ValidationError.from_exception_data(cls.__name__, details) from None

    @classmethod
    def _with_known_fields(cls, detail: InitErrorDetails) -> InitErrorDetails:
        place = detail.get("loc", ())
        if detail["type"] != "extra_forbidden" or len(place) != 1:
            return detail
        word, known = str(place[0]), [field.alias or name for name, field in cls.model_fields.items()]
        return as_detail(UnknownWordError(f"no field {word!r} here", word=word, known=known), place)


@dataclass(frozen=True)
class KnownWord:
    """Annotation of a text that must be a name in a registry; the JSON Schema lists the names as an enum.

    The registry is read when a definition is checked, because apps add to it at start-up. `what` names the kind of
    word in the error, such as "subject". Raises UnknownWordError.
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


class Names(DefinitionModel):
    """Name in both languages; as text it is the one of the language in force."""

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
    def _expand_short_forms(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"values": value}
        if isinstance(value, dict) and isinstance(value.get("values"), dict):
            return {**value, "values": list(value["values"]), "labels": value["values"]}
        return value


def named(kind: str) -> BeforeValidator:
    """Return a validator that replaces a name by the entry of the campaign's `kind`: windows or lists."""

    def resolve(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        known = (info.context or {}).get(kind, {})
        if value not in known:
            raise UnknownWordError(f"{value!r} is not among the campaign's {kind}", word=value, known=known)
        return known[value]

    return BeforeValidator(resolve, json_schema_input_type=Any)


NamedList = Annotated[ValueList, named("lists")]
