"""Lists that go on: a page, and the mark from which the next one goes on, whatever the length of the list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

SIZE = 20


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and `after`: where the next page begins, empty where there is none."""

    rows: list[Any]
    after: str = ""


def newest(rows: "QuerySet[Any]", *, after: str = "") -> Page:
    """The rows by number, newest first, that come after the mark of the page before. Raises Http404."""
    if after:
        if not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise Http404
        rows = rows.filter(pk__lt=int(after))
    found = list(rows.order_by("-pk")[: SIZE + 1])
    return Page(found[:SIZE], str(found[SIZE - 1].pk) if len(found) > SIZE else "")


def newest_by(when: str, rows: "QuerySet[Any]", *, after: str = "") -> Page:
    """The rows by the instant `when`, newest first, that come after the mark of the page before. Raises Http404."""
    if after:
        at, _, pk = after.partition(" ")
        rows = rows.filter(Q(**{f"{when}__lt": _instant(at)}) | Q(**{when: _instant(at)}, pk__lt=pk))
    found = list(rows.order_by(f"-{when}", "-pk")[: SIZE + 1])
    if len(found) <= SIZE:
        return Page(found)
    last = found[SIZE - 1]
    return Page(found[:SIZE], f"{getattr(last, when).isoformat()} {last.pk}")


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error
    if found.tzinfo is None:
        raise Http404
    return found
