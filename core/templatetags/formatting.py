"""Template filters for money, numbers and instants."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html

from core import countries
from core.formatting import (
    city_name,
    format_instant,
    format_instant_twice,
    format_minute,
    format_money,
    format_number,
    format_short_instant,
)

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """Return `1,000.00 CNY`."""
    return format_money(amount, currency)


@register.filter
def number(n: int) -> str:
    """Return `1,000`."""
    return format_number(n)


@register.filter
def country(code: str) -> str:
    """Return the name of a country."""
    return countries.name(code)


@register.filter
def clock(at: datetime | None) -> str:
    """Return an instant on the reader's clock, with its city; empty for None."""
    return format_instant(at, timezone.get_current_timezone_name()) if at else ""


@register.filter
def short_instant(at: datetime, now: datetime) -> str:
    """Return `1 Oct, 14:59` on the reader's clock, for places that hold no tooltip, such as links."""
    return format_short_instant(at, timezone.get_current_timezone_name(), now=now)


@register.filter
def on(at: datetime, zone: str) -> str:
    """Return an instant on the clock of a zone, with its city."""
    return format_instant(at, zone)


@register.filter
def minute_on(at: datetime, zone: str) -> str:
    """Return an instant on the clock of a zone, without seconds that say nothing and without its city."""
    return format_minute(at, zone)


@register.filter
def clocks(at: datetime | None) -> str:
    """Return an instant on the reader's clock, as an element whose tooltip has the other clock too; empty for None."""
    if at is None:
        return ""
    here = format_minute(at, timezone.get_current_timezone_name())
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), format_instant_twice(at), here)


@register.simple_tag
def reader_clock() -> str:
    """Return the city of the reader's clock."""
    return city_name(timezone.get_current_timezone_name())
