"""Fields of bodies. Instants are in UTC, money is text."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.serializers import Serializer

from core.instants import is_accepted
from core.keys import invisible_character, normalize_key
from imports.cell_parsers import mangled_reason
from imports.columns import placeholder_reason

FIRST_PRINTABLE = 0x20


# No docstring: the schema would show it as the description of every serializer that has none.
class Base(Serializer[Any]):
    # Names that it does not know are refused: a misspelt one would be ignored, and could mean more rights.
    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise ValidationError({name: ErrorDetail(_("is no field of this object"), "unknown") for name in unknown})
        return super().to_internal_value(data)


class NameField(serializers.CharField):
    """Name of a key or a webhook: one line."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if any(ord(character) < FIRST_PRINTABLE for character in name):
            self.fail("control")
        return name

    default_error_messages: ClassVar = {"control": gettext_lazy("must be one line, without control characters")}


def amount(**options: Any) -> serializers.DecimalField:
    """Money as text with two decimals; the currency is a field of its own."""
    return serializers.DecimalField(max_digits=14, decimal_places=2, **options)


class KeyField(serializers.CharField):
    """Key of a fact, in the form in which it is stored. No key holds a line break or another invisible character."""

    def to_internal_value(self, data: Any) -> str:
        key = normalize_key(super().to_internal_value(data))
        if not key.isprintable():
            self.fail("invisible", character=invisible_character(key))
        return key

    default_error_messages: ClassVar = {"invisible": gettext_lazy("holds the invisible character {character}")}


class NewKeyField(KeyField):
    """Key that is recorded: it passes the checks of the files, so that they can name it."""

    def to_internal_value(self, data: Any) -> str:
        key = super().to_internal_value(data)
        if reason := placeholder_reason(key) or mangled_reason(key):
            raise ValidationError(reason, "invalid")
        return key


def instant(**options: Any) -> serializers.DateTimeField:
    """Return a field of an instant in UTC."""
    return serializers.DateTimeField(default_timezone=UTC, **options)


class InstantField(serializers.DateTimeField):
    """Instant with an offset or `Z`, from 1970 to 2200."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and (parsed := _parse_instant(data)) is not None:
            if parsed.tzinfo is None:
                self.fail("no_offset")
            if not is_accepted(parsed):
                self.fail("out_of_range")
        return super().to_internal_value(data)

    default_error_messages: ClassVar = {
        "no_offset": gettext_lazy("has no offset: write Z for UTC, or an offset such as +08:00"),
        "out_of_range": gettext_lazy("is not between the years 1970 and 2200"),
    }


def _parse_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@extend_schema_field({"type": "string", "format": "uri-reference"})
class HrefField(serializers.Field[Any, Any, Any, Any]):
    """Address at which the object can be read, relative to the server."""

    def __init__(self, make: Callable[[Any], str], **options: Any) -> None:
        self.make = make
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        return self.make(value)


def plain_value(value: Any) -> Any:
    """Return a fact as JSON has it: instants in UTC, a window as an object, an amount as text with two decimals.

    A number with more decimals keeps them.
    """
    match value:
        case Decimal():
            return f"{value:.2f}" if value == round(value, 2) else str(value)
        case datetime():
            return plain_instant(value)
        case (datetime() as start, datetime() as end):
            return {"from": plain_instant(start), "to": plain_instant(end)}
        case tuple() | list():
            return [plain_value(each) for each in value]
        case _:
            return value


def plain_instant(value: datetime) -> str:
    """Return an instant as text in UTC, with `Z`."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache
def _instance(serializer: type[Base]) -> Base:
    return serializer()


def serialize(serializer: type[Base], value: object) -> dict[str, Any]:
    """Return a value as JSON data. Reuses one instance of each serializer: building its fields costs more than this."""
    data: dict[str, Any] = _instance(serializer).to_representation(value)
    return data
