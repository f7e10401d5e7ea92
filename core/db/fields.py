"""Model fields of imported records: keys, instants, money."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from core.keys import normalize_key

if TYPE_CHECKING:
    Text = models.CharField[str, str]
else:
    Text = models.CharField  # not subscriptable at run time


LONGEST_KEY = 129
"""Length of a key that joins two keys of 64 characters, such as that of an order item."""


class KeyField(Text):
    """Code assigned by another system: compared and ordered by code point on every database.

    PostgreSQL orders text by the locale of the database unless a collation is named; SQLite always by bytes.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the type by its long name: for the short one Django adds a LIKE index, needless in collation C."""
        short = super().db_type(connection)
        if short is not None and connection.vendor == "postgresql":
            return short.replace("varchar", "character varying")
        return short

    def get_prep_value(self, value: Any) -> Any:
        """Return the normal form of a key: lookups and writes find the row however the key was typed."""
        value = super().get_prep_value(value)
        return normalize_key(value) if isinstance(value, str) else value

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a field for an amount with two decimals; its currency is in another field, or in the field's name."""
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


def money_total(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a field for a sum of amounts, wide enough for a trillion of the largest."""
    return models.DecimalField(max_digits=26, decimal_places=2, **options)


def instant(**options: Any) -> "models.DateTimeField[Any, Any]":
    """Return a field for the instant of an event, NULL until it happens."""
    return models.DateTimeField(null=True, blank=True, **options)


class NumberField(models.DecimalField):  # type: ignore[type-arg]  # not subscriptable at run time
    """Number with decimals that is no amount of money, such as a score or a length."""
