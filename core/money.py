"""Amounts of money: decimals with two places, rounded half up."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def round_to_cents(amount: Decimal) -> Decimal:
    """Return the amount with two decimals, rounded half up: 0.125 becomes 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)
