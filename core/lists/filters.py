"""Filter of a list by days: from one day to another, both included, on the reader's clock."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _


class DateRange(FieldListFilter):
    """Rows whose instant lies in a range of days. Either end may be open."""

    def __init__(
        self, field: Any, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.from_name, self.to_name = self.parameters(field_path)
        super().__init__(field, request, params, model, model_admin, field_path)
        self.first = _day(self.used_parameters.get(self.from_name))
        self.last = _day(self.used_parameters.get(self.to_name))

    @staticmethod
    def parameters(path: str) -> tuple[str, str]:
        """Return the parameters of the address for a filter of the field at `path`."""
        return f"{path}__from", f"{path}__to"

    def expected_parameters(self) -> list[str | None]:
        return [self.from_name, self.to_name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(self.first)})
        if self.last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _midnight(self.last + timedelta(days=1))})
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield "any date", usual ranges, and the chosen range if it is none of these."""
        now = (self.first, self.last)
        usual = list(_usual_ranges(timezone.localdate(changelist.at)))
        for text, first, last in usual:
            yield self._choice(changelist, text, first, last, is_selected=(first, last) == now)
        if now not in [(first, last) for _text, first, last in usual]:
            yield self._choice(changelist, _range_text(*now), *now, is_selected=True)

    def _choice(
        self, page: Any, text: str, first: date | None, last: date | None, *, is_selected: bool
    ) -> dict[str, Any]:
        ends = {self.from_name: first, self.to_name: last}
        new = {name: day.isoformat() for name, day in ends.items() if day}
        query = page.get_query_string(new, [name for name in ends if name not in new])
        return {"selected": is_selected, "query_string": query, "display": text}


def _usual_ranges(today: date) -> Sequence[tuple[str, date | None, date | None]]:
    return (
        (_("Any date"), None, None),
        (_("Today"), today, today),
        (_("Last 7 days"), today - timedelta(days=6), today),
        (_("Last 30 days"), today - timedelta(days=29), today),
        (_("This month"), today.replace(day=1), today),
    )


def _range_text(first: date | None, last: date | None) -> str:
    words = {"first": first, "last": last}
    if not last:
        return _("from %(first)s") % words
    return (_("%(first)s to %(last)s") if first else _("until %(last)s")) % words


def _day(value: Any) -> date | None:
    """Return the day of a parameter. Raises IncorrectLookupParameters if it is none."""
    text = value[-1] if isinstance(value, list) else value
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError as error:
        raise IncorrectLookupParameters(error) from error
    if day is None or not 1970 <= day.year <= 2200:
        raise IncorrectLookupParameters(ValidationError(_("Enter a date such as 2022-09-01.")))
    return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
