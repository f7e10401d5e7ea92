"""Shares of payers in queries: equal to `definitions.funding.split` to the cent, for any number of entries.

Each entry is split by the terms of the version that decided it. Offers whose terms name no payer are paid by the
platform.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, F, Func, Q, Value, When

from campaigns.models import Version
from core.money import WHOLE_UNITS
from definitions.funding import PLATFORM, Shares

MONEY = DecimalField(max_digits=14, decimal_places=2)
ZERO = Value(Decimal("0.00"), output_field=MONEY)


class PartOf(Func):
    """SQL function of an amount and its currency: `part` parts of `total`, rounded down to the smallest unit."""

    output_field = MONEY
    arity = 2
    arg_joiner = " AS amount, "  # between the arguments, which are columns of the innermost query

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        quotient = "DIV(amount * units * {part}, {total}) * CASE units WHEN 1 THEN 1 ELSE 0.01 END"
        return self.as_sql(compiler, connection, template=self._of_units(quotient), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Whole units are integers, whose quotient SQLite rounds down: amounts are never negative.
        quotient = "CAST(ROUND(amount * units) AS INTEGER) * {part} / {total} / CAST(units AS REAL)"
        return self.as_sql(compiler, connection, template=self._of_units(quotient), **extra)

    def _of_units(self, quotient: str) -> str:
        """Return the template of a quotient of `amount`, of which `units` of the smallest unit make 1.00."""
        whole = ", ".join(f"'{code}'" for code in sorted(WHOLE_UNITS))
        units = f"CASE WHEN currency IN ({whole}) THEN 1 ELSE 100 END"
        quotient = quotient.format(part=int(self.extra["part"]), total=int(self.extra["total"]))
        entry = "(SELECT %(expressions)s AS currency) AS entry"
        return f"(SELECT {quotient} FROM (SELECT amount, {units} AS units FROM {entry}) AS given)"  # noqa: S608  numbers


@dataclass(frozen=True)
class VersionShares:
    """Shares by the versions whose terms name payers."""

    by_version: Mapping[int, Shares]

    def __bool__(self) -> bool:
        return bool(self.by_version)

    def of(self, payer: str, amount: str = "amount", *, version: str = "version") -> Any:
        """Return what a payer pays of an amount, as an expression over rows with `currency` and the path `version`."""
        whens = [
            When(Q(**{f"{version}__in": pks}), then=_part(payer, amount, dict(shares))) for shares, pks in self._alike()
        ]
        return Case(*whens, default=F(amount) if payer == PLATFORM else ZERO, output_field=MONEY)

    def _alike(self) -> Iterator[tuple[tuple[tuple[str, int], ...], list[int]]]:
        """Yield the different shares with the versions that have them."""
        alike: dict[tuple[tuple[str, int], ...], list[int]] = {}
        for pk, shares in self.by_version.items():
            alike.setdefault(tuple(shares.items()), []).append(pk)
        yield from alike.items()


def _part(payer: str, amount: str, shares: Shares) -> Any:
    total, first = sum(shares.values()), next(iter(shares))
    if payer not in shares:
        return ZERO
    if payer != first:
        return PartOf(F(amount), F("currency"), part=shares[payer], total=total)
    rest: Any = F(amount)
    for other in shares:
        if other != first:
            rest = rest - PartOf(F(amount), F("currency"), part=shares[other], total=total)
    return rest


def version_shares(*, offer: int | None = None) -> VersionShares:
    """Return the shares of all versions that name payers, or of those of one offer. One query."""
    rows = Version.objects.filter(definition__has_key="funded_by").order_by("pk")
    rows = rows if offer is None else rows.filter(offer=offer)
    found = rows.values_list("pk", "definition__funded_by")
    return VersionShares({pk: {part["by"]: part["parts"] for part in parts} for pk, parts in found})
