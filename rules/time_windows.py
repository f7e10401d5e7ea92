"""Bounds and windows: written as local times of a zone, compared as instants."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from core.instants import is_accepted
from rules.base import MOST_QUOTED, DefinitionModel, named
from rules.errors import UnknownWordError

LOCAL = "%Y-%m-%d %H:%M:%S"
WORD = re.compile(r"[a-z_][a-z0-9_.]*", re.ASCII)
END_OF_DAY = re.compile(r"(\d{4}-\d{2}-\d{2}) 24:00(?::00)?", re.ASCII)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except Exception as error:
        message = _("unknown time zone %(zone)s, write one such as America/Los_Angeles") % {"zone": value}
        raise UnknownWordError(message, word=value, known=sorted(available_timezones()), listed=False) from error
    return value


def _local(value: str) -> str:
    """Check a local time to the second. An impossible date is an error and never shifted."""
    if END_OF_DAY.fullmatch(value):
        raise ValueError(_("%(found)r is not a time that can stand here: 24:00 is always an end") % {"found": value})
    try:
        if datetime.strptime(value, LOCAL).isoformat(" ") == value:  # noqa: DTZ007  local by intention; the zone stands beside it
            return value
    except ValueError as error:
        if "day is out of range" in str(error):
            raise ValueError(_("%(date)s is not a date of the calendar") % {"date": value[:10]}) from error
    raise ValueError(_("%(found)r is not a time like 2022-09-30 23:59:59") % {"found": value[:MOST_QUOTED]})


Zone = Annotated[str, AfterValidator(_zone)]
LocalTime = Annotated[str, AfterValidator(_local)]


class Clock(DefinitionModel):
    """Local time and its zone.

    A time that occurs twice in the zone (autumn) is the first of the two; one that the zone skips (spring) is later by
    as much as the clock was put forward: 02:30 becomes 03:30.
    """

    at: LocalTime
    zone: Zone

    @model_validator(mode="after")
    def _accepted(self) -> Self:
        try:
            accepted = is_accepted(self.instant)
        except OverflowError:
            accepted = False
        if not accepted:
            raise ValueError(_("%(time)s is not between the years 1970 and 2200") % {"time": self.at})
        return self

    @cached_property
    def instant(self) -> datetime:
        """Return the instant, in UTC."""
        return datetime.strptime(self.at, LOCAL).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


class Bound(Clock):
    """End of a window. `zone` decides the instant; `twin` is the time that an announcement gave on another clock."""

    twin: Clock | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_short_form(cls, value: object, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            value = {"at": value}
        if isinstance(value, dict) and "zone" not in value and info.context:
            return {"zone": info.context.get("zone"), **value}
        return value

    @cached_property
    def after(self) -> datetime:
        """Return the first instant past the bound: a bound includes the whole second in which it lies."""
        return self.instant + timedelta(seconds=1)


def end_of_day(text: str) -> str:
    """Return a local time as it is, or `24:00` of a day as the last second of the day, which a bound includes."""
    return END_OF_DAY.sub(r"\1 23:59:59", text) if END_OF_DAY.fullmatch(text) else text


def _expand_end_of_day(value: object) -> Any:
    if isinstance(value, str):
        return end_of_day(value)
    if isinstance(value, dict):
        return {key: _expand_end_of_day(part) if key in ("at", "twin") else part for key, part in value.items()}
    return value


EndBound = Annotated[Bound, BeforeValidator(_expand_end_of_day, json_schema_input_type=Any)]


class Window(DefinitionModel):
    """Interval between two bounds that both belong to it, to the second."""

    from_: Bound = Field(alias="from")
    to: EndBound

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start >= self.end:
            words = {"end": self.to.at, "start": self.from_.at}
            raise ValueError(_("the window is empty: it ends at %(end)s before it starts at %(start)s") % words)
        return self

    @property
    def start(self) -> datetime:
        """Return the first instant inside, in UTC."""
        return self.from_.instant

    @property
    def end(self) -> datetime:
        """Return the first instant after the window, in UTC."""
        return self.to.after


def bounds_in(value: object) -> Iterator[Bound]:
    """Yield every bound of a part of a definition."""
    if isinstance(value, Bound):
        yield value
    elif isinstance(value, DefinitionModel):
        for name in type(value).model_fields:
            yield from bounds_in(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from bounds_in(part)


NamedWindow = Annotated[Window, named("windows")]


CLAIM = "claim"


def _word_or_bound(value: object) -> str:
    return "Word" if isinstance(value, str) and WORD.fullmatch(value) else "Bound"


BoundOrFact = Annotated[Annotated[Bound, Tag("Bound")] | Annotated[str, Tag("Word")], Discriminator(_word_or_bound)]
"""A bound, or another instant of the same row: the name of a fact."""
EndBoundOrFact = Annotated[
    Annotated[EndBound, Tag("Bound")] | Annotated[str, Tag("Word")], Discriminator(_word_or_bound)
]
