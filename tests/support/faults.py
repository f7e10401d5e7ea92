"""Real faults of single rows: a trigger that refuses to write one, and stored values that cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.db import connection, models

MESSAGE = "this row cannot be written"
NUMBERS = count()
RAISE = {"postgresql": f"RAISE EXCEPTION '{MESSAGE}'; RETURN NEW;", "sqlite": f"SELECT RAISE(ABORT, '{MESSAGE}');"}


@contextmanager
def refused(model: type[models.Model], when: str, *, on: str = "INSERT", body: str = "") -> Iterator[None]:
    """Let the database refuse to write rows of a table for which `when` holds, such as `NEW.subject = 'F1'`.

    `body` is what it does instead, on PostgreSQL.
    """
    table, name = model._meta.db_table, f"fault_{next(NUMBERS)}"
    body = f"{body}; RETURN NEW;" if body else RAISE[connection.vendor]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
            )
        else:
            cursor.execute(f"CREATE TRIGGER {name} BEFORE {on} ON {table} WHEN {when} BEGIN {body} END")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DROP TRIGGER {name} ON {table}" if connection.vendor == "postgresql" else f"DROP TRIGGER {name}"
            )
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION {name}")


def unreadable(model: type[models.Model], pk: str, column: str) -> None:
    """Store a value that the database accepts and Python cannot read, as an instant or as money."""
    kind = model._meta.get_field(column).get_internal_type()
    python, sqlite = {"DateTimeField": ("infinity", "2022-13-45 00:00:00"), "DecimalField": ("NaN", "no number")}[kind]
    store(model, pk, column, sqlite if connection.vendor == "sqlite" else python)


def beyond_arithmetic(model: type[models.Model], pk: str, column: str) -> None:
    """Store an instant with which the database cannot calculate: no later one exists, or it is none."""
    store(model, pk, column, "2022-13-45 00:00:00" if connection.vendor == "sqlite" else "294276-12-31 23:59:59+00")


def store(model: type[models.Model], pk: str, column: str, value: str) -> None:
    """Store a value as it is, without the checks of Django."""
    assert model._meta.pk is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {column} = %s WHERE {model._meta.pk.column} = %s",
            [value, pk],
        )
