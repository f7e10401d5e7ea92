"""Fixtures of the tests of the REST API."""

from tests.support.programs import platform

__all__ = ["platform"]
