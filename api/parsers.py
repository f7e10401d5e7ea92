"""JSON in, strictly: no doubled names, no lone halves of characters, numbers as they are written."""

import json
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class StrictParser(BaseParser):
    """Raises ParseError (400) for what is not strict JSON, TooLarge (413) for more than a request may hold."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLarge(_("A request may hold %(n)d bytes at most.") % {"n": most})
        try:
            text = raw.decode("utf-8")
            found = json.loads(text, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)
            json.dumps(found, default=str, ensure_ascii=False).encode("utf-8")  # a lone half of a pair has no bytes
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        except ValueError as error:
            raise ParseError(_("This is not JSON: %(why)s") % {"why": error}) from error
        return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
