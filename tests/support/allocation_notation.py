"""Notation for claims, and settings for generated histories: few examples, the same ones in CI every time."""

import os
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings

ZERO_HOUR = datetime(2022, 9, 1, tzinfo=UTC)


def brief(examples: int) -> settings:
    """Return settings for `examples` examples, or `FAIRGROUND_EXAMPLES` times as many for a long search.

    A test that uses the database rolls each example back itself.
    """
    return settings(
        max_examples=examples * int(os.environ.get("FAIRGROUND_EXAMPLES", "1")),
        derandomize="CI" in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def hour(n: int) -> datetime:
    """Return the n-th hour of a history."""
    return ZERO_HOUR + timedelta(hours=n)
