"""Texts of the errors that the library finds, in the language in force: none of its own wording reaches an author."""

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic_core import ErrorDetails

from rules.base import MOST_QUOTED

TEXTS = {
    "missing": gettext_lazy("%(field)s is missing"),
    "string_type": gettext_lazy("a text is expected, not %(found)s"),
    "string_too_short": gettext_lazy("a text is expected, not %(found)s"),
    "string_too_long": gettext_lazy("longer than %(max_length)s characters"),
    "string_pattern_mismatch": gettext_lazy(
        "%(found)s is not a code: write small letters, digits and %(separator)s, such as %(example)s"
    ),
    "bool_type": gettext_lazy("yes or no is expected, not %(found)s"),
    "bool_parsing": gettext_lazy("yes or no is expected, not %(found)s"),
    "int_type": gettext_lazy("a whole number is expected, not %(found)s"),
    "int_parsing": gettext_lazy("a whole number is expected, not %(found)s"),
    "int_parsing_size": gettext_lazy("%(found)s is too large"),
    "int_from_float": gettext_lazy("a whole number is expected, not %(found)s"),
    "decimal_type": gettext_lazy("a number is expected, not %(found)s"),
    "decimal_parsing": gettext_lazy("a number is expected, not %(found)s"),
    "finite_number": gettext_lazy("a number is expected, not %(found)s"),
    "decimal_max_places": gettext_lazy("%(found)s has more than %(decimal_places)s decimals"),
    "decimal_max_digits": gettext_lazy("%(found)s has more than %(max_digits)s digits"),
    "decimal_whole_digits": gettext_lazy("%(found)s has more than %(whole_digits)s digits before the point"),
    "greater_than": gettext_lazy("%(found)s is not more than %(gt)s"),
    "greater_than_equal": gettext_lazy("%(found)s is less than %(ge)s"),
    "less_than_equal": gettext_lazy("%(found)s is more than %(le)s"),
    "too_short": gettext_lazy("too few entries: at least %(min_length)s"),
    "too_long": gettext_lazy("too many entries: at most %(max_length)s"),
    "tuple_type": gettext_lazy("a list is expected, not %(found)s"),
    "list_type": gettext_lazy("a list is expected, not %(found)s"),
    "dict_type": gettext_lazy("a mapping (name: value) is expected, not %(found)s"),
    "model_type": gettext_lazy("a mapping (name: value) is expected, not %(found)s"),
    "model_attributes_type": gettext_lazy("a mapping (name: value) is expected, not %(found)s"),
}


def text_of(detail: ErrorDetails) -> str:
    """Return the text of an error: our own, or the one for this type of error of the library."""
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    # A condition's code is a name in reports and takes underscores; codes of offers and campaigns take hyphens.
    is_name = "_" in str(context.get("pattern", ""))
    separator, example = ("_", "paid_in_time") if is_name else ("-", "spring-2027")
    words = {"field": detail["loc"][-1] if detail["loc"] else "", "found": quote(detail["input"])}
    text = TEXTS.get(detail["type"]) or _("%(found)s is not a value that can stand here")
    return str(text) % {**context, **words, "separator": separator, "example": example}


def expected_words(detail: ErrorDetails) -> list[str]:
    """Return the words of which one is expected, for an error that says so."""
    expected = str(detail.get("ctx", {}).get("expected", "")) if detail["type"] == "literal_error" else ""
    return re.findall(r"'([^']*)'", expected)


def quote(found: object) -> str:
    """Return what was found, as an author names it: a short value in quotes, or the kind of a larger one."""
    match found:
        case None:
            return _("nothing")
        case dict():
            return _("a mapping")
        case list() | tuple():
            return _("a list")
        case _:
            text = str(found)
            return repr(text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…")
