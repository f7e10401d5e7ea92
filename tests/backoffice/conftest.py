"""The desk's fixtures."""

from tests.support.operators import market, staff

__all__ = ["market", "staff"]
