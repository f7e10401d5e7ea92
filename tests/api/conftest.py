"""Fixtures of the tests of the REST API."""

from tests.support.programs import platform
from tests.support.receivers import receivers

__all__ = ["platform", "receivers"]
