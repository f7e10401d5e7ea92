"""The kinds of column that facts are made of: keys, instants, money."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    Text = models.CharField[str, str]
else:
    Text = models.CharField  # not subscriptable at run time


class KeyField(Text):
    """A code that other systems gave: compared and ordered by code point on every database.

    PostgreSQL orders text by the database's locale unless told otherwise; SQLite always by bytes.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """The same type by its long name: for the short one Django adds an index for LIKE, needless in collation C."""
        short = super().db_type(connection)
        if short is not None and connection.vendor == "postgresql":
            return short.replace("varchar", "character varying")
        return short

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """An amount with two decimals; its currency stands beside it or in its name."""
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


def instant(**options: Any) -> "models.DateTimeField[Any, Any]":
    """When something happened; empty until it has."""
    return models.DateTimeField(null=True, blank=True, **options)
