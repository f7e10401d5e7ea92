"""Fixtures of the tests of the operators' workspace."""

from tests.support.operators import market, staff

__all__ = ["market", "staff"]
