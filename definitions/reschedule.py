"""Campaigns on other dates: every time of a text is moved, and doubtful results are noted."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from definitions import yaml_roundtrip
from rules.time_windows import LOCAL, end_of_day

TIME = re.compile(r"\d{4}-\d{2}-\d{2} (\d{2}:\d{2}:\d{2}|24:00)", re.ASCII)
BEGINNING = "1970-01-01 00:00:00"
"""Start of an interval that is open to the past; never moved."""


@dataclass(frozen=True)
class MovedTime:
    """Time that was moved: its path, its old and new value, and a note if an operator should check it."""

    place: str
    was: str
    now: str
    note: str


Move = Callable[[datetime], tuple[datetime, str]]


def shift_by_days(source: str, days: int) -> tuple[str, list[MovedTime]]:
    """Return the text with every time `days` later, and the times that were moved.

    A multiple of seven keeps the weekdays. Raises DefinitionError.
    """

    def move(at: datetime) -> tuple[datetime, str]:
        now = at + timedelta(days=days)
        if _ends_month(at) != _ends_month(now) and _ends_month(at):
            return now, _("no longer the last day of its month")
        if at.day == 1 != now.day:
            return now, _("no longer the first day of its month")
        return now, "" if days % 7 == 0 else _weekday(at, now)

    return _moved(source, move)


def shift_by_years(source: str, years: int) -> tuple[str, list[MovedTime]]:
    """Return the text with every time on the same date `years` later, and the times that were moved.

    29 February becomes 28 February in a year that does not have it. Raises DefinitionError.
    """

    def move(at: datetime) -> tuple[datetime, str]:
        try:
            now = at.replace(year=at.year + years)
        except ValueError:
            now = at.replace(year=at.year + years, day=28)
            return now, _("there is no 29 February in %(year)d") % {"year": now.year}
        if _ends_month(at) and not _ends_month(now):
            return now, _("no longer the last day of its month")
        return now, _weekday(at, now)

    return _moved(source, move)


def with_new_codes(source: str, *, code: str, ending: str) -> str:
    """Return the text with `code` as the campaign's code and `ending` appended to the code of each offer."""
    data = yaml_roundtrip.load(source)
    data["campaign"] = code
    for offer in data.get("offers") or ():
        offer["code"] = f"{offer['code']}{ending}"
    return yaml_roundtrip.dump(data)


def _moved(source: str, move: Move) -> tuple[str, list[MovedTime]]:
    data = yaml_roundtrip.load(source)
    moved = list(_walk(data, move, (), str(data.get("zone", "UTC"))))
    return yaml_roundtrip.dump(data), moved


def _walk(node: Any, move: Move, path: tuple[str, ...], zone: str) -> Iterator[MovedTime]:
    if isinstance(node, dict) and is_time(node.get("at")):
        yield from _move_bound(node, move, path, node.get("zone", zone))
        return
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        here = (*path, _name(node, key))
        if is_time(node[key]):
            was = str(node[key])
            now, note = move(_read(was))
            node[key] = now.strftime(LOCAL)
            yield MovedTime(".".join(here), was, node[key], note)
        else:
            yield from _walk(node[key], move, here, zone)


def _move_bound(bound: Any, move: Move, path: tuple[str, ...], zone: str) -> Iterator[MovedTime]:
    """Move a bound and its twin: a twin that showed the same instant shows the same instant afterwards."""
    was = str(bound["at"])
    now, note = move(_read(was))
    bound["at"] = now.strftime(LOCAL)
    yield MovedTime(".".join(path), was, bound["at"], note)
    twin = bound.get("twin")
    if isinstance(twin, dict) and is_time(twin.get("at")) and "zone" in twin:
        shown = str(twin["at"])
        if shown == shown_on(was, zone, twin["zone"]):
            twin["at"] = shown_on(bound["at"], zone, twin["zone"])
        else:
            twin["at"] = move(_read(shown))[0].strftime(LOCAL)
        drifted = twin["at"][11:] != shown[11:]
        text = _("different time of day on that clock, because of daylight saving time") if drifted else ""
        yield MovedTime(".".join((*path, "twin")), shown, twin["at"], text)


def shown_on(local: str, zone: str, other: str) -> str:
    """Return the local time in zone `other` when it is `local` in `zone`."""
    at = _read(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return at.astimezone(ZoneInfo(other)).strftime(LOCAL)


def _name(node: Any, key: Any) -> str:
    """Return the part of a path: an offer is named by its code, not by its number."""
    child = node[key]
    return str(child["code"]) if isinstance(child, dict) and "code" in child else str(key)


def is_time(value: object) -> bool:
    """Return whether a value is a time of a definition, other than BEGINNING."""
    return isinstance(value, str) and TIME.fullmatch(value) is not None and value != BEGINNING


def _read(text: str) -> datetime:
    return datetime.strptime(end_of_day(text), LOCAL)  # noqa: DTZ007  local by intention; the zone stands beside it


def _ends_month(at: datetime) -> bool:
    return at.day == monthrange(at.year, at.month)[1]


def _weekday(at: datetime, now: datetime) -> str:
    return "" if at.weekday() == now.weekday() else _("falls on another weekday")
