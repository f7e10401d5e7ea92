"""Template filters for the time windows of offers."""

from django import template

from rules import sentences
from rules.time_windows import Bound

register = template.Library()


@register.filter
def bound(value: Bound) -> str:
    """Return a bound on its own clock and, where the offer names a second one, on that clock too."""
    return sentences.describe_bound(value)
