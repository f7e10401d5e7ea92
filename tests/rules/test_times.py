"""Bounds, windows and midnights: cases T1 to T3 of docs/reliability.md."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant
from rules.moments import NextMidnight, next_midnight
from rules.time_windows import Bound, Window
from tests.support.clock_changes import CHANGES, TICK, around
from tests.support.world import offer, outcomes, publish, tick


def bound(at: str, zone: str = "America/Los_Angeles") -> Bound:
    return Bound.model_validate({"at": at, "zone": zone})


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Shanghai"])
@pytest.mark.django_db
def test_a_claim_on_each_edge_of_a_window(zone: str) -> None:
    """The window includes its start and its whole last second, and excludes the microsecond before and its end."""
    window = f"{{from: {{at: 2022-09-05 00:00:00, zone: {zone}}}, to: {{at: 2022-09-09 23:59:59, zone: {zone}}}}}"
    publish(offer("o", conditions=f"[{{fact: paid_at, within: {window}}}]"))
    start = datetime(2022, 9, 5, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = datetime(2022, 9, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    batch = ImportBatch.objects.create(source="test")
    Merchant.objects.create(code="M1", batch=batch)
    last = end - timedelta(seconds=1)
    edges = {"a": start - TICK, "b": start, "c": last, "d": end - TICK, "e": end, "f": last + TICK}
    for order_no, paid_at in edges.items():
        FreightOrder.objects.create(
            order_no=order_no,
            batch=batch,
            merchant_id="M1",
            service="express",
            line="x",
            base_freight=1,
            currency="CNY",
            paid_at=paid_at,
        )
    tick(end + timedelta(days=1))
    found = outcomes("o")
    assert {order_no for order_no in found if found[order_no] == "granted"} == {"b", "c", "d", "f"}
    assert {order_no for order_no in found if found[order_no] == "refused"} == {"e"}
    assert "a" not in found  # a claim before the window opens is not decided


def test_one_instant_on_both_clocks() -> None:
    west = Window.model_validate(
        {
            "from": {"at": "2022-09-01 00:00:00", "zone": "America/Los_Angeles"},
            "to": {"at": "2022-09-30 23:59:59", "zone": "America/Los_Angeles"},
        }
    )
    east = Window.model_validate(
        {
            "from": {"at": "2022-09-01 15:00:00", "zone": "Asia/Shanghai"},
            "to": {"at": "2022-10-01 14:59:59", "zone": "Asia/Shanghai"},
        }
    )
    assert (west.start, west.end) == (east.start, east.end)
    assert west.end == datetime(2022, 10, 1, 7, tzinfo=UTC)


def test_a_time_that_occurs_twice_is_the_first() -> None:
    assert bound("2026-11-01 01:30:00").instant == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert bound("2026-11-01 01:30:00").after == datetime(2026, 11, 1, 8, 30, 1, tzinfo=UTC)


def test_a_skipped_time_is_an_hour_later() -> None:
    assert bound("2027-03-14 02:30:00").instant == bound("2027-03-14 03:30:00").instant
    assert bound("2027-03-14 02:30:00").instant == datetime(2027, 3, 14, 10, 30, tzinfo=UTC)


def test_a_window_over_the_end_of_daylight_saving_has_an_hour_more() -> None:
    day = Window.model_validate(
        {
            "from": {"at": "2026-11-01 00:00:00", "zone": "America/Los_Angeles"},
            "to": {"at": "2026-11-01 23:59:59", "zone": "America/Los_Angeles"},
        }
    )
    assert day.end - day.start == timedelta(hours=25)


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.django_db
def test_the_next_midnight_is_the_same_in_python_and_in_the_database(zone: str) -> None:
    instants = [at for day in CHANGES[zone] for at in around(day)]
    ImportBatch.objects.bulk_create(ImportBatch(source=str(n), recorded_at=at) for n, at in enumerate(instants))
    found = ImportBatch.objects.annotate(midnight=NextMidnight("recorded_at", zone=zone)).values_list(
        "recorded_at", "midnight"
    )
    assert [row for row in found if row[1] != next_midnight(row[0], zone)] == []


@pytest.mark.parametrize("zone", CHANGES)
def test_the_next_midnight_is_ahead_and_within_two_days(zone: str) -> None:
    for day in CHANGES[zone]:
        for at in around(day):
            ahead = next_midnight(at, zone) - at
            assert timedelta(0) < ahead <= timedelta(hours=49)
            local = next_midnight(at, zone).astimezone(ZoneInfo(zone))
            assert local.date() > at.astimezone(ZoneInfo(zone)).date()


@pytest.mark.django_db
def test_a_midnight_that_occurs_twice_is_the_first() -> None:
    at = datetime(2022, 11, 5, 12, tzinfo=UTC)
    ImportBatch.objects.create(source="x", recorded_at=at)
    found = ImportBatch.objects.annotate(midnight=NextMidnight("recorded_at", zone="America/Havana")).get().midnight
    assert found == next_midnight(at, "America/Havana") == datetime(2022, 11, 6, 4, tzinfo=UTC)
