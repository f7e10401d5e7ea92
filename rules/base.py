"""What every part of a definition is made of: strict values, names in both languages, named lists."""

from typing import Annotated, Any

from django.utils.translation import get_language
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

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
