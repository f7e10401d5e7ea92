"""Sentences of conditions on ratings, in the language in force and made from the definition alone."""

from decimal import Decimal

from django.utils.translation import gettext_lazy

from core.formatting import format_number, join_or
from rules.base import ValueList
from rules.comparison_sentences import SENTENCES
from rules.rated import LEVEL, SCORE, Rated

COMPARED = {
    LEVEL: gettext_lazy("level of the rating %(rating)s"),
    SCORE: gettext_lazy("score of the rating %(rating)s"),
}


def describe_rated(condition: Rated) -> str:
    """Return a condition on a rating as a sentence without a full stop."""
    text = COMPARED.get(condition.of, gettext_lazy("%(metric)s of the rating %(rating)s"))
    words = {"rating": str(condition.names or condition.rating), "metric": condition.of.replace("_", " ")}
    value = describe_rating_value(condition.operand)
    return str(SENTENCES[condition.operator.name]) % {"fact": str(text) % words, "value": value}


def describe_rating_value(value: object) -> str:
    """Return a level, a score or a metric: numbers as the reader writes them."""
    match value:
        case ValueList(values=values):
            return join_or(values)
        case int() | Decimal():
            return format_number(value)
    return str(value)
