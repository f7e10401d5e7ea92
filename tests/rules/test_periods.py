"""Periods: bounds, keys and membership, the same in Python and in the database, over changes of the clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import translation
from pydantic import TypeAdapter, ValidationError

from core.facts import Collection, Fact
from imports.models import ImportBatch
from rules.calendar_periods import Weekdays
from rules.period_sentences import describe_period
from rules.periods import AnyPeriod, LastDays, Period, bounds_of, key_of, period_q, start_of
from rules.query_row import QueryRow
from tests.support.clock_changes import CHANGES, TICK, around

ADAPTER: TypeAdapter[Any] = TypeAdapter(Period)
CONTEXT = {
    "zone": "Asia/Shanghai",
    "windows": {
        "morning": {"from": "2022-10-05 09:00:00", "to": "2022-10-05 11:59:59"},
        "evening": {"from": "2022-10-05 18:00:00", "to": "2022-10-05 19:59:59"},
    },
}
BATCHES = Collection(
    "batches",
    ImportBatch,
    "batches",
    "batch",
    {"recorded_at": Fact("recorded_at", "instant", "recorded at", event="recorded")},
)


def period(value: object, zone: str = "Asia/Shanghai") -> Any:
    return ADAPTER.validate_python(value, context={**CONTEXT, "zone": zone})


def at(written: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


RECURRING: list[Any] = [
    *("day", "week", "month", "year"),
    {"calendar": "month", "from_day": "5"},
    {"month_from": "5"},
    {"month_from": "28"},
    {"weekdays": ["mon", "sun"], "from": "09:00", "to": "17:30"},
    {"weekdays": ["sat"]},
    {"sessions": ["morning", "evening"]},
    "morning",
]


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.django_db
def test_python_and_the_database_agree_on_every_part(zone: str) -> None:
    """Each instant has the same start in both, lies in its bounds, and has the key of its start alone."""
    instants = [moment for day in CHANGES[zone] for moment in around(day)]
    ImportBatch.objects.bulk_create(ImportBatch(source=str(n), recorded_at=one) for n, one in enumerate(instants))
    for value in RECURRING:
        part = period(value, zone)
        rows = ImportBatch.objects.annotate(start=start_of(part, F("recorded_at"))).values_list("recorded_at", "start")
        starts: dict[str, datetime] = {}
        for recorded_at, start in rows:
            bounds = bounds_of(part, recorded_at)
            day_or_part = bounds_of(period("day", zone) if isinstance(part, Weekdays) else part, recorded_at)
            assert start == (day_or_part[0] if bounds and day_or_part else None), (value, recorded_at)
            assert (key_of(part, recorded_at) is None) == (bounds is None)
            if bounds:
                assert bounds[0] <= recorded_at < bounds[1], (value, recorded_at)
                assert starts.setdefault(str(key_of(part, recorded_at)), start) == start


@pytest.mark.parametrize(
    ("value", "start", "end", "key"),
    [
        ("day", "2022-10-05", "2022-10-06", "2022-10-05"),
        ("week", "2022-10-03", "2022-10-10", "2022-W40"),
        ("month", "2022-10-01", "2022-11-01", "2022-10"),
        ("year", "2022-01-01", "2023-01-01", "2022"),
        ({"month_from": "5"}, "2022-10-05", "2022-11-05", "2022-10-05"),
        ({"weekdays": ["wed"], "from": "08:30", "to": "24:00"}, "2022-10-05 08:30", "2022-10-06", "2022-10-05"),
        ({"calendar": "day", "zone": "Europe/Berlin"}, "2022-10-05 06:00", "2022-10-06 06:00", "2022-10-05"),
        ("morning", "2022-10-05 09:00", "2022-10-05 12:00", "2022-10-05T01:00:00Z"),
        ({"sessions": ["morning", "evening"]}, "2022-10-05 09:00", "2022-10-05 12:00", "2022-10-05T01:00:00Z"),
    ],
)
def test_a_part_includes_its_start_and_excludes_its_end(value: Any, start: str, end: str, key: str) -> None:
    part = period(value)
    assert bounds_of(part, at("2022-10-05 10:00")) == (at(start), at(end))
    assert key_of(part, at(start)) == key_of(part, at(end) - TICK) == key
    assert key not in (key_of(part, at(start) - TICK), key_of(part, at(end)))


def test_a_month_with_a_change_of_the_clocks_is_an_hour_longer_or_shorter() -> None:
    days = {month: bounds_of(period("month", "Europe/Berlin"), at(f"2022-{month}-15")) for month in ("03", "10")}
    lengths = {month: bounds[1] - bounds[0] for month, bounds in days.items() if bounds}
    assert lengths == {"03": timedelta(days=31, hours=-1), "10": timedelta(days=31, hours=1)}


@pytest.mark.django_db
def test_membership_as_of_an_instant() -> None:
    """Each period includes its first instant, and none includes an instant after the one as of which it is asked."""
    now, day = at("2022-10-05 10:00"), timedelta(days=1)
    edges = [now - 90 * day, now, at("2022-10-01"), at("2022-09-05"), at("2022-10-05"), at("2022-10-05 09:00")]
    moments = sorted({one + step for one in edges for step in (-TICK, timedelta(0), TICK)})
    ImportBatch.objects.bulk_create(ImportBatch(source=str(n), recorded_at=one) for n, one in enumerate(moments))
    row = QueryRow(BATCHES)

    def inside(value: object) -> tuple[datetime, datetime]:
        rows = ImportBatch.objects.filter(period_q(period(value), F("recorded_at"), at=now, row=row))
        found = sorted(rows.values_list("recorded_at", flat=True))
        assert found == [one for one in moments if found[0] <= one <= found[-1]]
        return found[0], found[-1]

    assert inside({"last_days": "90"}) == (now - 90 * day, now - TICK)
    assert inside("month") == (at("2022-10-01"), now)
    assert inside({"month_from": "6"}) == (at("2022-10-01") - TICK, now)
    assert inside("day") == (at("2022-10-05"), now)
    assert inside("morning") == inside({"sessions": ["morning", "evening"]}) == (at("2022-10-05 09:00"), now)
    assert inside({"weekdays": ["wed"], "from": "09:00", "to": "10:00"}) == (at("2022-10-05 09:00"), now - TICK)
    assert inside({"first_days": "1", "after": "recorded_at"}) == (moments[0], now)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("moth", "no period, and not among the campaign's windows; known are: day, week, month, year, own, morning"),
        ({"calendar": "quarter"}, "'day', 'week', 'month' or 'year'"),
        ({"month_from": "29"}, "less than or equal to 28"),
        ({"last_days": "0"}, "greater than or equal to 1"),
        ({"last_day": "90"}, "no field 'last_day' here; known are: last_days"),
        ({"weekdays": ["monday"]}, "no weekday 'monday'; known are: mon"),
        ({"weekdays": ["mon"], "from": "9:00"}, "'9:00' is not a time of day like 09:00"),
        ({"weekdays": ["mon"], "from": "17:00", "to": "17:00"}, "the hours are empty"),
        ({"sessions": ["evening", "morning"]}, "starts at 2022-10-05 09:00:00 before the one above ends"),
    ],
)
def test_an_error_says_what_can_be_written(value: object, says: str) -> None:
    with pytest.raises(ValidationError) as error:
        period(value)
    assert says in str(error.value)


def test_a_stored_period_needs_no_campaign() -> None:
    for value in (*RECURRING, {"last_days": "90"}, {"first_days": "3", "after": "recorded_at"}):
        part: AnyPeriod = period(value)
        assert ADAPTER.validate_python(ADAPTER.dump_python(part, mode="json", exclude_none=True)) == part
    assert period({"last_days": "90"}) == LastDays(last_days=90)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        ("month", "in the same calendar month (Beijing time)", "在同一自然月内（北京时间）"),
        (
            {"month_from": "5"},
            "in the same month, counted from day 5 (Beijing time)",
            "在同一月内，自每月5日起计（北京时间）",
        ),
        ({"last_days": "90"}, "in the 90 days before", "在此前90天内"),
        ({"first_days": "90", "after": "recorded_at"}, "in the first 90 days from recorded", "在recorded起的前90天内"),
        (
            {"weekdays": ["mon", "tue"], "from": "09:00", "to": "17:00"},
            "on Monday, Tuesday between 09:00 and 17:00 (Beijing time)",
            "在周一、周二的09:00至17:00之间（北京时间）",
        ),
        ({"weekdays": ["sun"]}, "on Sunday (Beijing time)", "在周日（北京时间）"),
    ],
)
def test_a_period_is_a_sentence_in_both_languages(value: Any, en: str, zh: str) -> None:
    for language, sentence in (("en", en), ("zh-hans", zh)):
        with translation.override(language):
            assert describe_period(period(value), QueryRow(BATCHES)) == sentence
