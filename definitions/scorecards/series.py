"""Series of ratings: when a scorecard is evaluated, and from when until when a rating is in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from rules.base import DefinitionModel, form_of
from rules.calendar_periods import Bounds, CalendarPeriod, MonthFrom
from rules.errors import ErrorCollector
from rules.periods import expand_calendar_word
from rules.time_windows import Bound


def _form(value: object) -> str:
    forms = {"calendar": "CalendarPeriod", "month_from": "MonthFrom"}
    return type(value).__name__ if isinstance(value, DefinitionModel) else form_of(value, forms, "CalendarPeriod")


def _without_gaps(calendar: "CalendarPeriod | MonthFrom") -> "CalendarPeriod | MonthFrom":
    if isinstance(calendar, CalendarPeriod) and calendar.from_day is not None:
        raise ValueError(_("the calendar of a series has no gaps: write month_from in place of from_day"))
    return calendar


Calendar = Annotated[
    Annotated[CalendarPeriod, Tag("CalendarPeriod")] | Annotated[MonthFrom, Tag("MonthFrom")],
    Discriminator(_form),
    AfterValidator(_without_gaps),
    BeforeValidator(expand_calendar_word, json_schema_input_type=str | dict[str, object]),
]


UNITS = ("day", "week", "month", "year")


@dataclass(frozen=True)
class DueEvaluation:
    """Evaluation that is due: its period, its instant, and from when until when its ratings are in force."""

    period: str
    at: datetime
    starts_at: datetime
    ends_at: datetime


class SeriesTerms(DefinitionModel):
    """Series of evaluations: one at the start of `every` part of a calendar, the first no earlier than `from`.

    A rating is in force from the first start of `in_force` at or after the evaluation, to the next one.
    """

    every: Calendar
    from_: Bound = Field(alias="from")
    in_force: Calendar | None = None

    @model_validator(mode="after")
    def _starts_apart(self) -> Self:
        errors = ErrorCollector()
        with errors.at("in_force"):
            if self.in_force is not None and _length(self.in_force) > _length(self.every):
                raise ValueError(_("two ratings would start together: the parts are longer than those of every"))
        errors.raise_collected("SeriesTerms")
        return self

    def due(self, *, until: datetime, latest: bool = False) -> Iterator[DueEvaluation]:
        """Yield the evaluations whose instant has come by `until`, in order; only the `latest` one if that is asked."""
        first = self._at_or_after(self.every, self.from_.instant)
        at = _bounds(self.every, until)[0] if latest and first <= until else first
        while first <= at <= until:
            yield self._evaluation(at)
            at = _bounds(self.every, at)[1]

    def _evaluation(self, at: datetime) -> DueEvaluation:
        calendar = self.in_force or self.every
        starts_at = self._at_or_after(calendar, at)
        return DueEvaluation(self.every.key_of(at) or "", at, starts_at, _bounds(calendar, starts_at)[1])

    @staticmethod
    def _at_or_after(calendar: CalendarPeriod | MonthFrom, at: datetime) -> datetime:
        start, following = _bounds(calendar, at)
        return start if start == at else following


def _length(calendar: CalendarPeriod | MonthFrom) -> int:
    return UNITS.index(calendar.calendar if isinstance(calendar, CalendarPeriod) else "month")


def _bounds(calendar: CalendarPeriod | MonthFrom, at: datetime) -> Bounds:
    bounds = calendar.bounds_of(at)
    assert bounds is not None  # a calendar without gaps
    return bounds
