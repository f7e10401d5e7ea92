"""A season on other dates, by hand-made dates."""

from typing import Any

import pytest

from campaigns.models import Draft
from campaigns.offers import drafts
from definitions import bundled, parser, reschedule
from definitions.warnings import find_warnings
from tests.support.members import words
from tests.support.operators import Staff
from tests.support.world import HEADING, offer, publish, t

LEAP = "{at: 2024-02-29 23:59:59, zone: Asia/Shanghai}"


def text(*bounds: str) -> str:
    rows = ", ".join(f"{{code: c{n}, fact: paid_at, by: {bound}}}" for n, bound in enumerate(bounds))
    return f"{HEADING}offers:\n{offer('ten', conditions=f'[{rows}]')}"


def moved(source: str, how: Any, n: int) -> list[tuple[str, str]]:
    return [(change.now, change.note) for change in how(source, n)[1]]


def test_the_same_dates() -> None:
    assert moved(text("2022-09-30 23:59:59", LEAP), reschedule.shift_by_years, 1) == [
        ("2023-09-30 23:59:59", "falls on another weekday"),
        ("2025-02-28 23:59:59", "there is no 29 February in 2025"),
    ]
    assert moved(text(LEAP), reschedule.shift_by_years, 4) == [("2028-02-29 23:59:59", "falls on another weekday")]
    assert moved(text("2023-02-28 23:59:59"), reschedule.shift_by_years, 1) == [
        ("2024-02-28 23:59:59", "no longer the last day of its month")
    ]


def test_the_same_weekdays() -> None:
    assert moved(
        text("2022-09-05 00:00:00", "2022-09-30 23:59:59", "2022-09-01 00:00:00"), reschedule.shift_by_days, 364
    ) == [
        ("2023-09-04 00:00:00", ""),
        ("2023-09-29 23:59:59", "no longer the last day of its month"),
        ("2023-08-31 00:00:00", "no longer the first day of its month"),
    ]


def test_the_time_on_the_other_clock_is_shifted_correctly() -> None:
    """14:59:59 in Beijing is 23:59:59 in Los Angeles in summer; in winter it is 15:59:59."""
    twin = "{at: 2022-09-30 23:59:59, zone: America/Los_Angeles, twin: {at: 2022-10-01 14:59:59, zone: Asia/Shanghai}}"
    source, notes = reschedule.shift_by_days(text(twin), 56)
    assert [(change.now, change.note) for change in notes] == [
        ("2022-11-25 23:59:59", "no longer the last day of its month"),
        ("2022-11-26 15:59:59", "different time of day on that clock, because of daylight saving time"),
    ]
    assert find_warnings(parser.read(source)) == []


def test_the_beginning_of_all_stays() -> None:
    assert moved(text("1970-01-01 00:00:00"), reschedule.shift_by_years, 1) == []


def test_a_whole_season_and_back_is_the_same_text() -> None:
    path = bundled.path("september-2022")
    assert path is not None
    source = path.read_text(encoding="utf-8")
    there, notes = reschedule.shift_by_days(source, 364)
    assert len(notes) > 30
    parser.read(there)
    back = reschedule.shift_by_days(there, -364)[0]
    # One twin of the announcement is an hour off, and is moved as it is.
    assert back == source


@pytest.mark.django_db
def test_at_the_desk(staff: Staff) -> None:
    ana = staff("ana", "operator")
    publish(offer("ten", conditions="[{fact: paid_at, by: 2024-02-29 23:59:59}]"))
    where = "/admin/campaign/trial/clone/"
    form = {"code": "trial-2025", "ending": "-2025", "way": "dates", "years": "1"}
    page = words(ana.post(where, form).content.decode())
    assert "2024-02-29 23:59:59 2025-02-28 23:59:59 there is no 29 February in 2025" in page
    assert not Draft.objects.exists()
    ana.post(where, {**form, "make": "1"})
    definition = parser.read(Draft.objects.get().source)
    assert (definition.campaign, definition.offers[0].code) == ("trial-2025", "ten-2025")
    page = words(ana.post(where, {**form, "code": "no good", "ending": "x"}).content.decode())
    assert "Enter a valid" in page
    draft = Draft.objects.get()
    drafts.submit(draft, at=t("20"), by="ana")
    drafts.approve(draft, shown=draft.digest, at=t("20"), by="bo")
    drafts.launch(draft, at=t("20"), by="ana")
