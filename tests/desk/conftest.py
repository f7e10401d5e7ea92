"""The desk's fixtures."""

from tests.desk.people import market, staff

__all__ = ["market", "staff"]
