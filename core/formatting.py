"""Money, numbers, instants and lists as text, in the language and on the clock in force."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from core.money import WHOLE_UNITS

CITIES = {
    "America/Los_Angeles": gettext_lazy("Los Angeles"),
    "Asia/Shanghai": gettext_lazy("Beijing"),
    "UTC": gettext_lazy("UTC"),
}
"""The name of each zone's clock; another zone is shown by its IANA name."""


def babel_locale() -> str:
    """Return the locale in which Babel formats, from the language in force."""
    return "zh_Hans_CN" if (get_language() or "").startswith("zh") else "en_US"


def format_money(amount: Decimal | int, currency: str) -> str:
    """Return `1,000.00 CNY` or `1,000 JPY`: grouped, decimals of the currency, always with its code.

    An amount that has cents all the same, such as an imported fee in JPY, is shown with them.
    """
    is_whole = currency in WHOLE_UNITS and amount == int(amount)
    pattern = "#,##0" if is_whole else "#,##0.00"
    return f"{format_decimal(amount, pattern, locale=babel_locale())} {currency}".strip()


def format_number(n: object) -> str:
    """Return `1,000`, or `1,000.5` with at most four decimals."""
    return format_decimal(n, "#,##0.####", locale=babel_locale())  # type: ignore[arg-type]  # any number


def format_percent(n: object) -> str:
    """Return `5%` or `0.3%`."""
    return f"{format_decimal(n, '#,##0.####', locale=babel_locale())}%"  # type: ignore[arg-type]  # any number


def format_instant(at: datetime, zone: str) -> str:
    """Return `1 Oct 2022, 14:59 Beijing`: an instant on the clock of a zone, to the minute, with the clock's city."""
    text = format_datetime(at, _("d MMM y, HH:mm"), tzinfo=ZoneInfo(zone), locale=babel_locale())
    return _("%(time)s %(city)s") % {"time": text, "city": city_name(zone)}


def format_exact_instant(at: datetime, zone: str) -> str:
    """Return an instant as `format_instant` does, but to the second."""
    text = format_datetime(at, _("d MMMM y HH:mm:ss"), tzinfo=ZoneInfo(zone), locale=babel_locale())
    return _("%(time)s %(city)s") % {"time": text, "city": city_name(zone)}


def format_deadline(at: datetime, zone: str) -> str:
    """Return an instant on the clock of the zone that decides and then on the reader's; once if both are the same."""
    here = timezone.get_current_timezone_name()
    return " · ".join(format_instant(at, each) for each in dict.fromkeys((zone, here)))


def city_name(zone: str) -> str:
    """Return the name of a zone's clock."""
    return str(CITIES.get(zone, zone))


def format_minute(at: datetime, zone: str) -> str:
    """Return an instant on the clock of a zone, without its city.

    Seconds are left out where they are 00, or 59 at the end of an hour: the end of a period, written as its last
    second.
    """
    local = at.astimezone(ZoneInfo(zone))
    is_whole = local.second == 0 or (local.minute, local.second) == (59, 59)
    pattern = _("d MMMM y HH:mm") if is_whole else _("d MMMM y HH:mm:ss")
    return format_datetime(at, pattern, tzinfo=ZoneInfo(zone), locale=babel_locale())


def format_instant_twice(at: datetime) -> str:
    """Return an instant on the clock in force and, in brackets, on the other one of Beijing and Los Angeles."""
    here, other = clocks()
    both = ({"time": format_minute(at, zone), "city": city_name(zone)} for zone in (here, other))
    return "{} ({})".format(*(_("%(time)s %(city)s") % words for words in both))


def clocks() -> tuple[str, str]:
    """Return the zone in force, and the other one of Beijing and Los Angeles."""
    here = timezone.get_current_timezone_name()
    return here, "America/Los_Angeles" if here == "Asia/Shanghai" else "Asia/Shanghai"


def format_short_date(at: datetime, zone: str, *, now: datetime) -> str:
    """Return `1 Oct` on the clock of a zone, or `1 Oct 2023` in another year than that of `now`."""
    return _short(at, zone, now, _("d MMM"), _("d MMM y"))


def format_short_instant(at: datetime, zone: str, *, now: datetime) -> str:
    """Return `1 Oct, 14:59` on the clock of a zone, or `1 Oct 2023, 14:59` in another year than that of `now`."""
    return _short(at, zone, now, _("d MMM, HH:mm"), _("d MMM y, HH:mm"))


def _short(at: datetime, zone: str, now: datetime, this_year: str, other_year: str) -> str:
    local, reference = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    pattern = this_year if local.year == reference.year else other_year
    return format_datetime(local, pattern, locale=babel_locale())


def join_or(parts: Iterable[str]) -> str:
    """Return `a, b or c`."""
    return _join(parts, last=_("%(most)s or %(final)s"))


def join_and(parts: Iterable[str]) -> str:
    """Return `a, b and c`."""
    return _join(parts, last=_("%(most)s and %(final)s"))


def _join(parts: Iterable[str], *, last: str) -> str:
    *most, final = parts
    return last % {"most": _(", ").join(most), "final": final} if most else final
