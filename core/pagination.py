"""Pages of long lists: without counting a million rows, and with a cursor instead of an offset."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404

MOST_COUNTED = 5_000
PAGE_SIZE = 20


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Paginator that counts no further than MOST_COUNTED rows: searching is quicker than leafing through more."""

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_COUNTED)

    @property
    def is_capped(self) -> bool:
        """Return whether there are more rows than `count`."""
        return self._counted > MOST_COUNTED

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())


@dataclass(frozen=True)
class Page:
    """Rows of one page and `after`, the cursor of the next page: empty on the last one."""

    rows: list[Any]
    after: str = ""


def newest(rows: "QuerySet[Any]", *, after: str = "") -> Page:
    """Return the page of `rows`, highest primary key first, that follows the cursor.

    Raises Http404 for a bad cursor.
    """
    if after:
        if not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise Http404
        rows = rows.filter(pk__lt=int(after))
    page = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    return Page(page[:PAGE_SIZE], str(page[PAGE_SIZE - 1].pk) if len(page) > PAGE_SIZE else "")


def newest_by(field: str, rows: "QuerySet[Any]", *, after: str = "") -> Page:
    """Return the page of `rows`, latest instant in `field` first, that follows the cursor.

    Raises Http404 for a bad cursor.
    """
    if after:
        at, _, pk = after.partition(" ")
        rows = rows.filter(Q(**{f"{field}__lt": _instant(at)}) | Q(**{field: _instant(at)}, pk__lt=pk))
    page = list(rows.order_by(f"-{field}", "-pk")[: PAGE_SIZE + 1])
    if len(page) <= PAGE_SIZE:
        return Page(page)
    last = page[PAGE_SIZE - 1]
    return Page(page[:PAGE_SIZE], f"{getattr(last, field).isoformat()} {last.pk}")


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error
    if instant.tzinfo is None:
        raise Http404
    return instant
