"""Exact sums and quotients of measures in SQL. SQLite has no exact decimals: it adds cents and calls Python."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import BigIntegerField, DecimalField, Func

from core.money import CENT

NUMBER = DecimalField(max_digits=26, decimal_places=2)
DIGITS = 60


class Hundredths(Func):
    """SQL function: a number with two decimals as a whole number of hundredths."""

    output_field = BigIntegerField()
    arity = 1
    template = "(%(expressions)s * 100)"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(ROUND(%(expressions)s * 100) AS INTEGER)", **extra)


class TenThousandths(Hundredths):
    """SQL function: a number with four decimals as a whole number of ten-thousandths."""

    template = "(%(expressions)s * 10000)"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(ROUND(%(expressions)s * 10000) AS INTEGER)", **extra)


def parts_of(number: Any, *, decimals: int) -> tuple[Func, int]:
    """Return a number as a whole number of its smallest parts, and how many parts a whole has."""
    return (TenThousandths(number), 10_000) if decimals == 4 else (Hundredths(number), 100)


class Quotient(Func):
    """SQL function: the quotient of two whole numbers, rounded half up to two decimals; NULL if the second is 0."""

    output_field = NUMBER
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # With twenty decimals before rounding, only what is half a hundredth looks like it.
        template, joint = "ROUND(CAST(%(expressions)s, 0), 2)", f" AS numeric({DIGITS}, 20)) / NULLIF("
        return self.as_sql(compiler, connection, template=template, arg_joiner=joint, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(fairground_quotient(%(expressions)s) AS NUMERIC)"
        return self.as_sql(compiler, connection, template=template, **extra)


def quotient_sql(numerator: str, denominator: str, vendor: str) -> str:
    """Return the SQL of the quotient of two whole numbers, as `Quotient` computes it."""
    if vendor == "sqlite":
        return f"CAST(fairground_quotient({numerator}, {denominator}) AS NUMERIC)"
    return f"ROUND(CAST({numerator} AS numeric({DIGITS}, 20)) / NULLIF({denominator}, 0), 2)"


def quotient(numerator: int, denominator: int) -> Decimal | None:
    """Return the quotient rounded half up to two decimals, None if the denominator is 0."""
    if denominator == 0:
        return None
    with localcontext(prec=DIGITS):
        return (Decimal(numerator) / Decimal(denominator)).quantize(CENT, ROUND_HALF_UP)


def _quotient_in_sqlite(numerator: int | None, denominator: int | None) -> float | None:
    if numerator is None or denominator is None:
        return None
    found = quotient(numerator, denominator)
    return None if found is None else float(found)


def _teach_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("fairground_quotient", 2, _quotient_in_sqlite, deterministic=True)


connection_created.connect(_teach_sqlite, dispatch_uid="quotient")
