"""Sentences of bounds and periods, in the language in force and made from the definition alone."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.facts import Fact
from core.formatting import city_name, format_instant, format_number, join_or
from rules.calendar_periods import CalendarPeriod, MonthFrom, Weekdays
from rules.periods import AnyPeriod, FirstDays, LastDays, OwnPeriod, Sessions
from rules.query_row import QueryRow
from rules.time_windows import Bound, Window

SAME = {
    "day": gettext_lazy("on the same day (%(city)s time)"),
    "week": gettext_lazy("in the same calendar week (%(city)s time)"),
    "month": gettext_lazy("in the same calendar month (%(city)s time)"),
    "year": gettext_lazy("in the same calendar year (%(city)s time)"),
}
WEEKDAYS = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}


def describe_bound(value: Bound) -> str:
    """Return a bound on the reader's clock, to the minute, whichever clock decides."""
    return format_instant(value.instant, timezone.get_current_timezone_name())


def describe_window(value: Window) -> str:
    """Return a window: from one bound to the other."""
    return _("from %(start)s to %(end)s") % {"start": describe_bound(value.from_), "end": describe_bound(value.to)}


def describe_event(fact: Fact) -> str:
    """Return the verb of an instant: shipped."""
    return str(fact.event or fact.label)


def describe_period(period: AnyPeriod | OwnPeriod, row: QueryRow) -> str:
    """Return a period as an adverb: "in the 90 days before". `row` has the fact from which it starts, if any."""
    match period:
        case CalendarPeriod(from_day=int(day)):
            words = {"day": day, "city": city_name(period.zone)}
            text = _("in the same calendar month, from day %(day)d on (%(city)s time)") % words
        case CalendarPeriod():
            text = str(SAME[period.calendar]) % {"city": city_name(period.zone)}
        case MonthFrom():
            words = {"day": period.month_from, "city": city_name(period.zone)}
            text = _("in the same month, counted from day %(day)d (%(city)s time)") % words
        case Window():
            text = describe_window(period)
        case Sessions():
            text = _("in one of these sessions: %(windows)s") % {
                "windows": join_or(map(describe_window, period.sessions))
            }
        case Weekdays():
            text = _weekdays(period)
        case LastDays(last_days=n):
            text = ngettext("in the %(n)s day before", "in the %(n)s days before", n) % {"n": format_number(n)}
        case OwnPeriod():
            text = _("in the period of the claim")
        case FirstDays(first_days=n):
            words = {"n": format_number(n), "event": describe_event(row.fact(period.after))}
            text = (
                ngettext("in the first %(n)s day from %(event)s", "in the first %(n)s days from %(event)s", n) % words
            )
    return text


def _weekdays(period: Weekdays) -> str:
    words = {
        "days": _(", ").join(str(WEEKDAYS[day]) for day in period.weekdays),
        "start": period.from_,
        "end": period.to,
        "city": city_name(period.zone),
    }
    if (period.from_, period.to) == ("00:00", "24:00"):
        return _("on %(days)s (%(city)s time)") % words
    return _("on %(days)s between %(start)s and %(end)s (%(city)s time)") % words
