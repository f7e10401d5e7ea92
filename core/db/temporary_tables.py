"""Temporary tables of the current transaction, on the default connection.

They last until the transaction ends, on SQLite until another of the same name is made.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection


def create(name: str, columns: str) -> str:
    """Create a table with `columns`, as SQL, and return its name. It replaces an earlier one of that name."""
    _run(name, f"({columns})" + _end())
    return name


def create_as(name: str, statement: str, parameters: Sequence[Any]) -> str:
    """Create a table of the rows that a SELECT returns, as `create` does."""
    _run(name, f"{_end()} AS {statement}", parameters)
    return name


def _run(name: str, definition: str, parameters: Sequence[Any] = ()) -> None:
    schema = "pg_temp" if connection.vendor == "postgresql" else "temp"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {schema}.{name}")
        cursor.execute(f"CREATE TEMPORARY TABLE {name} {definition}", parameters)


def _end() -> str:
    return " ON COMMIT DROP" if connection.vendor == "postgresql" else ""
