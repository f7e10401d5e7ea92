"""The wording of definitions, for templates: money, instants, bounds."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from rules import sentences
from rules.time_windows import Bound

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`1,000.00 CNY`."""
    return sentences.money(amount, currency)


@register.filter
def clock(at: datetime | None) -> str:
    """An instant on the reader's clock, with its city; empty where there is none."""
    return sentences.time(at, timezone.get_current_timezone_name()) if at else ""


@register.filter
def on(at: datetime, zone: str) -> str:
    """An instant on the clock of a zone, with its city."""
    return sentences.time(at, zone)


@register.filter
def clocks(at: datetime | None) -> str:
    """An instant on the reader's clock and on the other of the two that offers name; empty where there is none."""
    return sentences.clocks(at) if at else ""


@register.filter
def number(n: int) -> str:
    """`1,000`."""
    return sentences.number(n)


@register.filter
def bound(value: Bound) -> str:
    """A bound as the offer writes it: on its own clock, and on its twin's."""
    return sentences.bound(value)
