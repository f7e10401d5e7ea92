"""Bounds and windows: written as local times of a zone, compared as instants."""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from core.instants import is_accepted
from rules.base import DefinitionModel, named

LOCAL = "%Y-%m-%d %H:%M:%S"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except Exception as error:
        raise ValueError(f"unknown time zone {value}, write one such as America/Los_Angeles") from error
    return value


def _local(value: str) -> str:
    """Check a local time to the second. An impossible date is an error and never shifted."""
    try:
        if datetime.strptime(value, LOCAL).isoformat(" ") == value:  # noqa: DTZ007  local by intention; the zone stands beside it
            return value
    except ValueError as error:
        if "day is out of range" in str(error):
            raise ValueError(f"{value[:10]} is not a date of the calendar") from error
    raise ValueError(f"{value!r} is not a time like 2022-09-30 23:59:59")


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
            raise ValueError(f"{self.at} is not between the years 1970 and 2200")
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
    def _expand_short_form(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            value = {"at": value}
        if isinstance(value, dict) and "zone" not in value and info.context:
            return {"zone": info.context.get("zone"), **value}
        return value

    @cached_property
    def after(self) -> datetime:
        """Return the first instant past the bound: a bound includes the whole second in which it lies."""
        return self.instant + timedelta(seconds=1)


class Window(DefinitionModel):
    """Interval between two bounds that both belong to it, to the second."""

    from_: Bound = Field(alias="from")
    to: Bound

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"the window is empty: it ends at {self.to.at} before it starts at {self.from_.at}")
        return self

    @property
    def start(self) -> datetime:
        """Return the first instant inside, in UTC."""
        return self.from_.instant

    @property
    def end(self) -> datetime:
        """Return the first instant after the window, in UTC."""
        return self.to.after


NamedWindow = Annotated[Window, named("windows")]


def _claim_or_bound(value: Any) -> str:
    return "Claim" if value == "claim" else "Bound"


ClaimOrBound = Annotated[
    Annotated[Literal["claim"], Tag("Claim")] | Annotated[Bound, Tag("Bound")], Discriminator(_claim_or_bound)
]
