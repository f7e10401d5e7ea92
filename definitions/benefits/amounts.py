"""Amount of a benefit in queries: the fact `benefit` of a claim, equal to what `Discount.value` gives to the cent.

Percentages are multiplied as decimals: PostgreSQL would round the quotient of a large number before the cent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import DecimalField, F, Func, Value

from core.facts import FEES
from core.money import WHOLE_UNITS
from definitions.benefits import Benefit, Coupons, Discount, Reduction
from rules.query_row import QueryRow

MONEY = DecimalField(max_digits=14, decimal_places=2)


@dataclass(frozen=True)
class BenefitAmount:
    """Worth of a benefit: its `expression` is never NULL, because an empty fee counts as 0.00."""

    benefit: Benefit

    def expression(self, row: QueryRow) -> Any:
        """Return the amount as an expression over a row, in the currency of its fee. It is always that of the claim."""
        if isinstance(self.benefit, Coupons):
            return Value(self.benefit.coupons.face_value, output_field=MONEY)
        fee = FEES[self.benefit.fee]
        currency = row.expression(fee.currency_fact) if fee.currency_fact else Value(self.benefit.fixed_currency)
        stated = stated_value(self.benefit, row)
        if stated is None:
            stated = Value(None, output_field=MONEY)
        return DiscountAmount(charged_amount(self.benefit, row), currency, stated, discount=self.benefit)


def charged_amount(discount: Discount, row: QueryRow) -> Any:
    """Return the amount that a discount reduces as an expression over a row: the fact of its fee, or a measure."""
    if discount.of is not None:
        return discount.of.measure.expression(replace(row, at=F("seen_at"), claims=True))
    return row.expression(FEES[discount.fee].fact)


def stated_value(discount: Discount, row: QueryRow) -> Any:
    """Return the fact or the measure of a discount as an expression over a row; None if it has neither."""
    if discount.measure is not None:
        return discount.measure.expression(replace(row, at=F("seen_at"), claims=True))
    return row.expression(discount.fact) if discount.fact else None


class DiscountAmount(Func):
    """SQL function of a fee's fact, a currency and the fact or measure of the discount: its amount.

    SQLite has no exact decimals and calls Python.
    """

    output_field = MONEY
    arity = 3

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        amount = _postgresql(self.extra["discount"])
        template = f"(SELECT {amount} FROM {_FEE_AND_PLACES})"  # noqa: S608  numbers of a checked discount
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"CAST(fairground_discount(%(expressions)s, '{_remember(self.extra['discount'])}') AS NUMERIC)"
        return self.as_sql(compiler, connection, template=template, **extra)


# One evaluation of the arguments: `amount` is the fee's fact, `places` the decimals of its currency, `stated` the value
# of the discount's own fact or measure.
_CODES = ", ".join(f"'{code}'" for code in sorted(WHOLE_UNITS))
_FEE_AND_PLACES = (
    "(SELECT COALESCE(given.amount, 0) AS amount, CASE WHEN given.currency IN ("
    + _CODES
    + ") THEN 0 ELSE 2 END AS places, GREATEST(COALESCE(CAST(given.stated AS numeric), 0), 0) AS stated "
    "FROM (VALUES (%(expressions)s)) AS given (amount, currency, stated)) AS fee"
)


def _postgresql(discount: Discount) -> str:
    """Return the amount as an expression of `fee.amount`, `fee.places` and `fee.stated`."""
    charged, least = "fee.amount", FEES[discount.fee].least
    room = f"TRUNC({charged} - {least:f}, fee.places)"
    if discount.rate is not None:
        charged = f"(fee.amount * {_share(discount.rate)})"
        room = f"ROUND({charged}, fee.places)"
    reduction = _reduction(discount, charged)
    if discount.at_most is not None:
        reduction = f"LEAST({reduction}, {discount.at_most:f})"
    return f"ROUND(GREATEST(0, LEAST(ROUND({reduction}, fee.places), {room})), 2)"


def _reduction(discount: Discount, charged: str) -> str:
    """Return the reduction before the cap, rounding and limits."""
    if discount.price is not None:
        return f"{charged} - {discount.price:f}"
    if discount.slices:
        return " + ".join(_slices(discount, charged))
    if discount.tiers:  # that of the highest tier reached, 0 below the lowest
        return f"CASE {' '.join(_tier_cases(discount, charged))} ELSE 0 END"
    if discount.fact:
        return "fee.stated" if discount.amount is not None else f"{charged} * LEAST(fee.stated, 100) * 0.01"
    return _part(Reduction(percent=discount.percent, amount=discount.amount), charged)


def _slices(discount: Discount, charged: str) -> Iterator[str]:
    before = "fee.stated" if discount.after else "0"
    for part, end in discount.parts():
        reached = f"{before} + {charged}" if end is None else f"LEAST({before} + {charged}, {end:f})"
        yield f"GREATEST({reached} - GREATEST({part.from_:f}, {before}), 0) * {_share(part.percent)}"


def _tier_cases(discount: Discount, charged: str) -> Iterator[str]:
    height = "fee.stated" if discount.by else charged
    for tier in reversed(discount.tiers):
        yield f"WHEN {height} >= {tier.from_:f} THEN {_part(tier, charged)}"


def _part(part: Reduction, charged: str) -> str:
    return f"{part.amount:f}" if part.amount is not None else f"{charged} * {_share(part.percent or Decimal(0))}"


def _share(percent: Decimal) -> str:
    return f"{percent.scaleb(-2):f}"


_REMEMBERED: dict[str, Discount] = {}
"""The discounts of statements, by the names that these pass to the function: SQLite runs in this process."""


def _remember(discount: Discount) -> str:
    name = sha256(discount.model_dump_json(by_alias=True).encode()).hexdigest()[:32]
    _REMEMBERED.setdefault(name, discount)
    return name


def _discount_in_sqlite(fee: float | str | None, currency: str, stated: float | str | None, name: str) -> float:
    # At most 14 digits: str of a float gives them exactly.
    value, given = (None if number is None else Decimal(str(number)) for number in (fee, stated))
    return float(_REMEMBERED[name].value(value, currency, given))


def _teach_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("fairground_discount", 4, _discount_in_sqlite, deterministic=True)


connection_created.connect(_teach_sqlite, dispatch_uid="discount")
