"""Shapes that the forms of the builder can show: text of another shape is mended as text first.

A shape is TEXT, a list of one shape, a mapping of words to shapes, or several of these to choose from. `*` stands for
every other word; a word without a shape may hold anything. A value that is still missing has every shape.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from definitions.errors import Path, Problem
from definitions.yaml_text import YamlText

TEXT = "text"
NAMES = {"en": TEXT, "zh": TEXT}
TEXTS = [TEXT]
WINDOW: dict[str, Any] = {}
ROWS = (TEXT, [()])
"""Conditions: a word such as `everyone`, or rows; a row that no form can show is edited as YAML in its place."""
CASES: dict[str, Any] = {}
MOMENT = (TEXT, {"latest_of": TEXTS, "day_after": TEXT, "zone": TEXT, "by": TEXT, "cases": CASES})
CASES["*"] = MOMENT
VALUES = (TEXTS, {"*": NAMES})
DOCUMENT = {"code": TEXT, "names": NAMES, "conditions": ROWS}
CASES_OF: tuple[Any, ...] = (TEXT, {})
CAMPAIGN: dict[str, Any] = {
    "campaign": TEXT,
    "names": NAMES,
    "zone": TEXT,
    "windows": {"*": WINDOW},
    "measures": {"*": {}},
    "lists": {"*": (TEXTS, {"names": NAMES, "values": VALUES, "labels": {"*": NAMES}})},
    "attributes": {"*": {}},
    "events": {"*": {}},
    "allowances": [{**DOCUMENT, "use": TEXT, "in": (TEXT, {}), "collected": TEXT, "units": CASES_OF, "cost_per": TEXT}],
    "entitlements": [{**DOCUMENT, "holder": TEXT, "value": CASES_OF}],
    "offers": [{}],
}
OFFER: dict[str, Any] = {
    "code": TEXT,
    "names": NAMES,
    "carriers": [NAMES],
    "subject": TEXT,
    "lookups": {"*": {}},
    "where": ROWS,
    "conditions": ROWS,
    "claim": {
        "at": MOMENT,
        "each": (TEXT, {}),
        "during": (TEXT, {}),
        "nth": {"number": TEXT, "of": TEXT, "at": TEXT, "where": ROWS},
        "over_threshold": {"height": TEXT, "window": (TEXT, WINDOW), "where": ROWS},
    },
    "benefit": {
        "fee": TEXT,
        "percent": (TEXT, {"fact": TEXT}),
        "amount": (TEXT, {"fact": TEXT}),
        "tiers": [{}],
        "of": {"measure": TEXT},
        "by": {"measure": TEXT},
        "after": {"measure": TEXT},
        "slices": [{}],
        "coupons": {"valid": WINDOW, "where": ROWS},
    },
    "funded_by": {"*": TEXT},
    "quota": ({"limit": TEXT, "per_merchant": TEXT}, [{"of": TEXT, "at_most": (TEXT, {"fact": TEXT}), "per": TEXT}]),
    "settlement": {"at": MOMENT, "fulfilled_at": MOMENT, "requires": ROWS},
}
CONDITION: dict[str, Any] = {
    "fact": TEXT,
    "in_force": TEXT,
    "not_in_force": TEXT,
    "of": TEXTS,
    "count": TEXT,
    "measure": TEXT,
    "where": ROWS,
    "any": [()],
    "in": (TEXT, TEXTS, {"values": VALUES}),
    "not_in": (TEXT, TEXTS, {"values": VALUES}),
}


def problems(source: Callable[[], str], value: Any, shape: Any, at: Path = ()) -> list[Problem]:
    """Return an error at each part of a value of another shape. `at` is the path of the value in its text.

    The text is asked for only where there is an error: writing it takes longer than the check.
    """
    found = list(misshapen(value, shape))
    places = YamlText(source()) if found else None
    errors = []
    for path, wanted in found:
        line = places.place((*at, *path))[1].line if places else 1
        errors.append(Problem(line, ".".join(map(str, (*at, *path))), _message(wanted)))
    return errors


def misshapen(value: Any, shape: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the path of each part of a value that has another shape, and the shape that is wanted."""
    if value is None or shape == ():
        return
    choices = shape if isinstance(shape, tuple) else (shape,)
    fitting = next((one for one in choices if _kind(one) == _kind(value)), None)
    if fitting is None:
        yield (), choices[-1]
    elif isinstance(value, dict):
        for word, part in value.items():
            yield from _below(word, part, fitting.get(word, fitting.get("*", ())))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _below(number, part, fitting[0])


def _below(word: Any, value: Any, shape: Any) -> Iterator[tuple[Path, Any]]:
    for path, wanted in misshapen(value, shape):
        yield (word, *path), wanted


def _kind(value: Any) -> type:
    return next((kind for kind in (dict, list) if isinstance(value, kind)), str)


def _message(wanted: Any) -> str:
    if isinstance(wanted, dict):
        return _("Write keys with values here, such as “key: value”.")
    return _("Write a list here, such as “[a, b]”.") if isinstance(wanted, list) else _("Write a single text here.")
