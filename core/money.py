"""Amounts of money: decimals with two places, rounded half up to the smallest unit of their currency."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import get_territory_currencies

CENT = Decimal("0.01")
WHOLE_UNITS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
"""Currencies without a smaller unit, by ISO 4217."""

THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
"""Currencies with three decimals, by ISO 4217: amounts are stored with two, so no benefit can be in them."""


@cache
def currencies() -> frozenset[str]:
    """Return the ISO 4217 codes of the currencies in use today."""
    return frozenset(code for place in get_global("territory_currencies") for code in get_territory_currencies(place))


def currency_meant_by(text: str) -> str:
    """Return the code that a text stands for: CNY for `cny` and for `RMB`, which is no code; else ""."""
    code = {"RMB": "CNY", "NTD": "TWD", "UKP": "GBP"}.get(text.upper(), text.upper())
    return code if code in currencies() else ""


def smallest_unit(currency: str) -> Decimal:
    """Return the smallest amount in which a benefit in a currency is stated: 1, or 0.01."""
    return Decimal(1) if currency in WHOLE_UNITS else CENT


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with two decimals, rounded half up to the smallest unit: 123.50 JPY becomes 124.00."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP).quantize(CENT)


def round_money_down(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with two decimals, rounded down to the smallest unit: 123.50 JPY becomes 123.00."""
    return amount.quantize(smallest_unit(currency), ROUND_FLOOR).quantize(CENT)


def round_to_cents(amount: Decimal) -> Decimal:
    """Return the amount with two decimals, rounded half up: 0.125 becomes 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)
