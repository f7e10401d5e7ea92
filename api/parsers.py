"""Strict JSON requests: no duplicate names, no lone surrogates, numbers kept as written."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MOST_DEPTH = 20
MOST_VALUES = 100_000
"""Values, names and brackets of one request. A thousand facts, the most of a request, have less than half of them."""

MOST_DIGITS = 100


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class StrictParser(BaseParser):
    """Raises ParseError (400) for anything but strict JSON, TooLarge (413) for too many bytes."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge(_("A request may contain at most %(n)d bytes.") % {"n": limit})
        # Counted before anything is parsed: an object takes fifty times the memory of the two bytes that make it.
        if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:
            raise TooLarge(_("A request may contain at most %(n)d values.") % {"n": MOST_VALUES})
        try:
            text = raw.decode("utf-8")
            data = json.loads(
                text,
                object_pairs_hook=_object,
                parse_float=Decimal,
                parse_int=_whole_number,
                parse_constant=_refuse_constant,
            )
            # Raises for a lone surrogate (\ud800), which neither the database nor a response could encode.
            json.dumps(data, default=str, ensure_ascii=False).encode("utf-8")
            if _depth(data) > MOST_DEPTH:
                raise RecursionError
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        except UnicodeError as error:
            raise ParseError(_("The body is not UTF-8, or has half of a surrogate pair.")) from error
        except ValueError as error:
            raise ParseError(_("Invalid JSON: %(why)s") % {"why": error}) from error
        return data


def _depth(data: Any) -> int:
    """Return the number of lists and objects within each other, at most one more than MOST_DEPTH."""
    depth, level = 0, [data]
    while depth <= MOST_DEPTH and (level := [each for each in level if isinstance(each, list | dict)]):
        depth += 1
        level = [each for held in level for each in (held.values() if isinstance(held, dict) else held)]
    return depth


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        [(twice, _count)] = Counter(name for name, _value in pairs).most_common(1)
        raise ValueError(f"duplicate name {twice!r}")
    return data


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number has more than {MOST_DIGITS} digits")
    return int(text)


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's parser would accept."""
    raise ValueError(f"{name} is not a number")
