"""Parts that every definition is made of: strict models, words of a registry, names in both languages, named lists."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
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

from core.keys import invisible_character
from core.similar_words import nearest_word
from rules.errors import UnknownWordError, as_detail, details_of


def _one_line(text: str) -> str:
    """Check that a text has no line break, NUL or mark that turns the direction of what stands beside it."""
    for character in text:
        if unicodedata.category(character) in UNSEEN or character in TURNING:
            raise ValueError(_("holds the invisible character %s") % invisible_character(character))
    return text


UNSEEN = ("Cc", "Cs", "Zl", "Zp")
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]


class DefinitionModel(BaseModel):
    """Base of every part of a definition: immutable; a field that it does not have is an UnknownWordError."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_fields(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            details = [cls._with_known_fields(detail) for detail in details_of(error)]
            raise ValidationError.from_exception_data(cls.__name__, details) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced, and nothing of what was computed from the fields before."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    @classmethod
    def field_words(cls) -> list[str]:
        """Return the fields as a definition writes them."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def _with_known_fields(cls, detail: InitErrorDetails) -> InitErrorDetails:
        place = detail.get("loc", ())
        if detail["type"] != "extra_forbidden" or len(place) != 1:
            return detail
        word, known = str(place[0]), cls.field_words()
        return as_detail(UnknownWordError(_("no field %(word)r here") % {"word": word}, word=word, known=known), place)


def form_of(value: object, forms: Mapping[str, str], default: str) -> str:
    """Return the form of a value: that of the first word in `forms` among its keys, or nearly there; else `default`."""
    if isinstance(value, BaseModel):
        keys = [name for name, part in value if part is not None]
    else:
        keys = [key for key in value if isinstance(key, str)] if isinstance(value, dict) else []
    exact = next((word for word in forms if word in keys), None)
    near = filter(None, (nearest_word(key, forms) for key in keys))
    return forms.get(exact or next(near, ""), default)


@dataclass(frozen=True)
class KnownWord:
    """Annotation of a text that must be a name in a registry; the JSON Schema lists the names as an enum.

    The registry is read when a definition is checked, because apps add to it at start-up. `what` names the kind of
    word in the error, such as "subject". Raises UnknownWordError.
    """

    what: str
    registry: Callable[[], Mapping[str, object]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.registry())}

    def _check(self, word: str) -> str:
        known = self.registry()
        if word not in known:
            raise UnknownWordError(
                _("no %(what)s %(word)r") % {"what": self.what, "word": word}, word=word, known=known
            )
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
    def _expand_short_forms(cls, value: object) -> Any:
        if isinstance(value, list | tuple):
            return {"values": value}
        if isinstance(value, dict) and isinstance(value.get("values"), dict):
            return {**value, "values": list(value["values"]), "labels": value["values"]}
        return value


NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _written_number(value: object) -> Any:
    """Check how a number is written: digits and one point, and no minus before a zero."""
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            raise ValueError(_("%(found)s is not a number such as 760.00") % {"found": repr(value[:MOST_QUOTED])})
        if value.startswith("-") and not value.strip("-0."):
            raise ValueError(_("zero has no sign: write %(number)s") % {"number": value.removeprefix("-")})
    return value


WrittenNumber = BeforeValidator(_written_number)
MOST_QUOTED = 60


def named(kind: str) -> BeforeValidator:
    """Return a validator that replaces a name by the entry of the campaign's `kind`: windows or lists."""

    return BeforeValidator(lambda value, info: resolve_name(kind, value, info), json_schema_input_type=Any)


def resolve_name(kind: str, value: object, info: ValidationInfo) -> Any:
    """Return the campaign's entry of that name, or the value if it is no name. Raises UnknownWordError."""
    if not isinstance(value, str):
        return value
    known = (info.context or {}).get(kind, {})
    if value not in known:
        raise UnknownWordError(
            _("%(word)r is not among the campaign's %(kind)s") % {"word": value, "kind": kind}, word=value, known=known
        )
    return known[value]


NamedList = Annotated[ValueList, named("lists")]
