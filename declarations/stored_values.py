"""Values of attributes in a JSON column: how each type is written, read, and compared in SQL.

A number is a text with four decimals, an instant a text in UTC: both are exact on every database, and of one form, so
that SQLite compares equal values as equal. An attribute without a value is absent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Func

from core.db.fields import NumberField

MAX_DIGITS, DECIMALS = 14, 4
MAX_TEXT = 200
STEP = Decimal(1).scaleb(-DECIMALS)
OFFSET = "+00:00"
Stored = str | bool | None


def field_of(type_: str, **options: Any) -> "models.Field[Any, Any]":
    """Return a model field, of no model, for values of a type."""
    match type_:
        case "number":
            return NumberField(max_digits=MAX_DIGITS, decimal_places=DECIMALS, null=True, **options)
        case "flag":
            return models.BooleanField(null=True, **options)
        case "instant":
            return models.DateTimeField(null=True, **options)
    return models.CharField(max_length=MAX_TEXT, null=True, **options)


def to_json(value: object) -> Stored:
    """Return a value as it is stored; None, or an empty text, removes what is stored."""
    match value:
        case None | "":
            return None
        case bool():
            return value
        case datetime():
            return str(value.astimezone(UTC))
        case Decimal():
            return f"{value:.{DECIMALS}f}"
    return str(value)


def from_json(stored: Stored, type_: str) -> Any:
    """Return a stored value as a value of its type, None where there is none."""
    if stored is None:
        return None
    match type_:
        case "number":
            return plain_number(Decimal(stored))
        case "instant":
            return datetime.fromisoformat(str(stored))
    return stored


def plain_number(value: Decimal) -> Decimal:
    """Return a number without the zeros behind its last decimal, never with an exponent."""
    rounded = value.quantize(STEP)
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded.normalize()


def value_sql(column: str, name: str, type_: str, vendor: str) -> str:
    """Return the SQL of an attribute's value in a JSON column, NULL where there is none; a text is then empty.

    `name` is a checked name of letters, digits and `_`, and so can stand in the statement.
    """
    stored = f"({column} ->> '{name}')"
    is_postgresql = vendor == "postgresql"
    match type_:
        case "number":
            exact = f"numeric({MAX_DIGITS}, {DECIMALS})"
            return f"CAST({stored} AS {exact if is_postgresql else 'REAL'})"
        case "flag":
            return f"CAST({stored} AS boolean)" if is_postgresql else f"CAST({stored} AS INTEGER)"
        case "instant":
            # SQLite compares instants as texts without an offset, the form in which Django stores them.
            return f"CAST({stored} AS timestamptz)" if is_postgresql else f"REPLACE({stored}, '{OFFSET}', '')"
    return f"COALESCE({stored}, '')"


class AttributeValue(Func):
    """Expression of an attribute's value; `path` is the lookup path of the JSON column."""

    def __init__(self, path: Any, *, name: str, type_: str) -> None:
        super().__init__(F(path) if isinstance(path, str) else path, output_field=field_of(type_))
        self.name, self.type = name, type_

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,  # noqa: ARG002  # signature of the library
        template: str | None = None,  # noqa: ARG002
        arg_joiner: str | None = None,  # noqa: ARG002
        **_context: Any,
    ) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        return value_sql(column, self.name, self.type, connection.vendor), parameters


@dataclass(frozen=True)
class StoredValue:
    """Place of a declared fact: the attribute `name` in a JSON column."""

    name: str
    type: str

    def __call__(self, path: str) -> AttributeValue:
        return AttributeValue(path, name=self.name, type_=self.type)
