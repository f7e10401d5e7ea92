"""Amount of a benefit in queries: the fact `benefit` of a claim, equal to what `Discount.value` gives to the cent."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import DecimalField, Func, Value

from core.facts import FEES, Collection
from core.money import WHOLE_UNITS
from definitions.benefits import Benefit, Coupons, Discount, Reduction

MONEY = DecimalField(max_digits=14, decimal_places=2)


@dataclass(frozen=True)
class BenefitAmount:
    """Worth of a benefit: its `expression` is never NULL, because an empty fee counts as 0.00."""

    benefit: Benefit

    def expression(self, row: Collection) -> Any:
        """Return the amount as an expression over a row, in the currency of its fee."""
        if isinstance(self.benefit, Coupons):
            return Value(self.benefit.coupons.face_value, output_field=MONEY)
        fee = FEES[self.benefit.fee]
        currency = row.expression(fee.currency_fact) if fee.currency_fact else Value(fee.currency)
        return DiscountAmount(row.expression(fee.fact), currency, discount=self.benefit)


class DiscountAmount(Func):
    """SQL function of a fee's fact and a currency: the discount. SQLite has no exact decimals and calls Python."""

    output_field = MONEY
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        amount = _postgresql(self.extra["discount"])
        template = f"(SELECT {amount} FROM {_FEE_AND_PLACES})"  # noqa: S608  numbers of a checked discount
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        discount = self.extra["discount"].model_dump_json(by_alias=True, exclude_defaults=True)
        template = f"CAST(fairground_discount(%(expressions)s, '{discount}') AS NUMERIC)"
        return self.as_sql(compiler, connection, template=template, **extra)


# One evaluation of the arguments: `amount` is the fee's fact, `places` the decimals of its currency.
_CODES = ", ".join(f"'{code}'" for code in sorted(WHOLE_UNITS))
_FEE_AND_PLACES = (
    "(SELECT COALESCE(given.amount, 0) AS amount, CASE WHEN given.currency IN ("
    + _CODES
    + ") THEN 0 ELSE 2 END AS places "
    "FROM (VALUES (%(expressions)s)) AS given (amount, currency)) AS fee"
)


def _postgresql(discount: Discount) -> str:
    """Return the amount as an expression of `fee.amount` and `fee.places`."""
    charged, least = "fee.amount", FEES[discount.fee].least
    room = f"TRUNC({charged} - {least:f}, fee.places)"
    if discount.rate is not None:
        charged = f"(fee.amount * {discount.rate:f} / 100)"
        room = f"ROUND({charged}, fee.places)"
    return f"ROUND(GREATEST(0, LEAST(ROUND({_reduction(discount, charged)}, fee.places), {room})), 2)"


def _reduction(discount: Discount, charged: str) -> str:
    """Return the reduction before rounding and limits: that of the highest tier reached, 0 below the lowest."""
    if not discount.tiers:
        return _part(discount, charged)
    return f"CASE {' '.join(_tier_cases(discount, charged))} ELSE 0 END"


def _tier_cases(discount: Discount, charged: str) -> Iterator[str]:
    for tier in reversed(discount.tiers):
        yield f"WHEN {charged} >= {tier.from_:f} THEN {_part(tier, charged)}"


def _part(part: Discount | Reduction, charged: str) -> str:
    return f"{part.amount:f}" if part.amount is not None else f"{charged} * {part.percent or 0:f} / 100"


@lru_cache(maxsize=256)
def _discount(text: str) -> Discount:
    return Discount.model_validate_json(text)


def _discount_in_sqlite(fee: float | str | None, currency: str, discount: str) -> float:
    value = Decimal(str(fee)) if fee is not None else None  # at most 14 digits: str of a float gives them exactly
    return float(_discount(discount).value(value, currency))


def _teach_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("fairground_discount", 3, _discount_in_sqlite, deterministic=True)


connection_created.connect(_teach_sqlite, dispatch_uid="discount")
