"""Sentences of the bands of a quota, in the language in force."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.facts import Collection
from core.formatting import city_name, format_money, format_number, join_or
from definitions.benefits.values import FactValue
from definitions.quotas import ALL, MERCHANT, Band
from rules.calendar_periods import CalendarPeriod, MonthFrom
from rules.period_sentences import WEEKDAYS
from rules.periods import Recurring, Sessions
from rules.sentences import describe_window
from rules.time_windows import Window

HOLDERS = {
    "buyer": gettext_lazy("buyer"),
    "listing": gettext_lazy("listing"),
    "store_discount": gettext_lazy("store discount"),
}
"""The names of holders. Each is a row of another collection, by the word that names one such row."""
EACH = {
    "day": gettext_lazy("each day (%(city)s time)"),
    "week": gettext_lazy("each calendar week (%(city)s time)"),
    "month": gettext_lazy("each calendar month (%(city)s time)"),
    "year": gettext_lazy("each calendar year (%(city)s time)"),
}


def describe_band(band: Band, rows: Collection) -> str:
    """Return the band as part of a sentence: `at most 300.00 USD for each merchant, in each calendar month`.

    `rows` are the subjects of the offer, whose facts can hold the limit.
    """
    holder = describe_holder(band)
    words = {"n": show_limit(band, rows), "holder": holder}
    text = _("at most %(n)s for %(holder)s") % words if holder else _("at most %(n)s in all") % words
    if band.in_ is not None:
        text = _("%(band)s, %(period)s") % {"band": text, "period": describe_each(band.in_)}
    return _("%(band)s (the last grant gets what is left)") % {"band": text} if band.last else text


def describe_holder(band: Band) -> str:
    """Return the holder who has a limit of its own: `each merchant`, `each buyer`; empty for all together."""
    if band.per == MERCHANT:
        return _("each merchant")
    return "" if band.per == ALL else _("each %(holder)s") % {"holder": HOLDERS.get(band.per, band.per)}


def show_limit(band: Band, rows: Collection) -> str:
    """Return the limit of a band: a number of grants, an amount, or the name of the fact that holds it."""
    if isinstance(band.at_most, FactValue):
        return _("as many as in “%(fact)s”") % {"fact": rows.facts[band.fact].label}
    limit = band.at_most or 0
    return format_money(limit, band.currency or "") if band.is_amount else format_number(int(limit))


def describe_each(period: Recurring) -> str:
    """Return the parts of a recurring period as an adverb: `each calendar month (Los Angeles time)`."""
    match period:
        case CalendarPeriod(from_day=int(day)):
            words = {"day": day, "city": city_name(period.zone)}
            return _("each calendar month from day %(day)d on (%(city)s time)") % words
        case CalendarPeriod():
            return str(EACH[period.calendar]) % {"city": city_name(period.zone)}
        case MonthFrom():
            words = {"day": period.month_from, "city": city_name(period.zone)}
            return _("each month, counted from day %(day)d (%(city)s time)") % words
        case Window():
            return describe_window(period)
        case Sessions():
            windows = join_or(map(describe_window, period.sessions))
            return _("each of these sessions: %(windows)s") % {"windows": windows}
        case _:
            days = _(", ").join(str(WEEKDAYS[day]) for day in period.weekdays)
            words = {"days": days, "start": period.from_, "end": period.to, "city": city_name(period.zone)}
            return _("each %(days)s between %(start)s and %(end)s (%(city)s time)") % words
