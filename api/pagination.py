"""Pages of a list: every list answers with `{next, previous, results}`, and is read on by the address in `next`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import CharField
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param

from api import problem_types
from api.problems import ProblemError
from api.queries import parameter_error
from api.serializers.fields import Base

FIRST_PAGE = Cursor(offset=0, reverse=False, position=None)
"""Written as an address without a cursor."""


class NewestFirst(CursorPagination):
    """Pages of rows of a table, newest row first."""

    ordering: str = "-pk"
    position = re.compile(r"[0-9]{1,18}")

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__()

    def get_page_size(self, request: Request) -> int:  # noqa: ARG002  # signature of DRF
        return self.size

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor of the request, None for the first page. Raises ProblemError (400) for a bad one."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound as error:
            raise _bad_cursor() from error
        if cursor and (not self.position.fullmatch(str(cursor.position or 0)) or cursor == FIRST_PAGE):
            raise _bad_cursor()
        return cursor


class ByKey(NewestFirst):
    """Pages of rows of a table whose key is a text, in the order of the keys."""

    ordering = "pk"
    position = re.compile(r"[^\x00]{1,200}", re.DOTALL)


def page_of_rows(rows: Any, request: Request, query: Mapping[str, Any]) -> tuple[NewestFirst, Sequence[Any]]:
    """Return the requested page of a queryset, and the paginator that makes its response."""
    kind = ByKey if isinstance(rows.model._meta.pk, CharField) else NewestFirst
    paginator = kind(query["size"])
    return paginator, paginator.paginate_queryset(rows, request) or []


class ListPages(NewestFirst):
    """Pages of a list that is computed as a whole, in its own order: the cursor is a number of rows."""

    offset_cutoff = 10**9

    def paginate_list(self, items: Sequence[Any], request: Request) -> Sequence[Any]:
        """Return the requested page of `items`."""
        self.address = request.build_absolute_uri()
        self.base_url = self.address
        self.count, cursor = len(items), self.decode_cursor(request)
        self.start = cursor.offset if cursor else 0
        if cursor and (cursor.position is not None or cursor.reverse):
            raise _bad_cursor()
        return items[self.start : self.start + self.size]

    def get_next_link(self) -> str | None:
        end = self.start + self.size
        return self._link(end) if end < self.count else None

    def get_previous_link(self) -> str | None:
        return self._link(max(self.start - self.size, 0)) if self.start else None

    def _link(self, offset: int) -> str:
        if offset == 0:
            return str(remove_query_param(self.address, self.cursor_query_param))
        return str(self.encode_cursor(Cursor(offset=offset, reverse=False, position=None)))


def list_response(serializer: type[Base], items: Sequence[Any], request: Request, query: Mapping[str, Any]) -> Response:
    """Return the response with the requested page of a list that was computed as a whole."""
    paginator = ListPages(query["size"])
    page = paginator.paginate_list(items, request)
    return paginator.get_paginated_response(serializer(page, many=True).data)


def _bad_cursor() -> ProblemError:
    detail = _("This is no cursor of this list: take the address in `next` or `previous` as it is.")
    return ProblemError(problem_types.INVALID, errors=[parameter_error("cursor", "invalid", detail)])
