"""Forecasts of the date on which a quota runs out, compared with values computed by hand."""

from datetime import datetime, timedelta

import pytest

from campaigns.reporting.forecast import forecast
from tests.support.world import t

AT = t("20")


def taken(*pairs: tuple[str, int]) -> list[tuple[datetime, int]]:
    return [(t(at), n) for at, n in pairs]


def test_sixteen_in_three_days() -> None:
    """16 in 72 hours; 8 left go in 36. Two roots of 16 are 8: between 24 in 72 hours, and 8 in 72 hours."""
    found = forecast(taken(("18", 10), ("19 12:00", 6)), left=8, at=AT)
    assert found is not None
    assert (found.taken, found.since) == (16, t("17"))
    assert found.likely == AT + timedelta(hours=36)
    assert found.soonest == AT + timedelta(hours=24)
    assert found.latest == AT + timedelta(hours=72)


def test_returns_are_subtracted_and_older_changes_do_not_count() -> None:
    found = forecast(taken(("16 23:59:59", 100), ("17", 100), ("17 00:00:01", 12), ("19", -3)), left=9, at=AT)
    assert found is not None
    assert found.taken == 9
    assert found.likely == AT + timedelta(hours=72)


def test_since_it_opened_where_that_is_less() -> None:
    found = forecast(taken(("19 18:00", 9)), left=9, at=AT, opened=t("19 12:00"))
    assert found is not None
    assert (found.since, found.likely) == (t("19 12:00"), AT + timedelta(hours=12))


@pytest.mark.parametrize(("n", "tells"), [(4, False), (5, True)])
def test_too_few_changes_give_no_forecast(n: int, tells: bool) -> None:
    found = forecast(taken(("19", n)), left=5, at=AT)
    assert (found is not None) == tells
    if n == 5:
        assert found is not None
        assert found.latest is not None


def test_where_it_may_never_end() -> None:
    found = forecast(taken(("19", 4), ("19 01:00", 0)), left=5, at=AT)
    assert found is None
    assert forecast(taken(("19", 9)), left=0, at=AT) is None
