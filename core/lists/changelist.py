"""List of one table in the admin: the columns that the address names, filters as links, and views."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.http import HttpRequest, QueryDict

from core import clock
from core.lists.cells import page_of, record_columns

COLUMNS_VAR = "columns"
"""Parameter of the address with the names of the shown columns, separated by commas."""


class ListPage(ChangeList):
    """Django's list, whose address may also choose columns."""

    @cached_property
    def at(self) -> datetime:
        """Return the instant as of which the list is shown."""
        return clock.now()

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters that filter rows."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(COLUMNS_VAR, None)
        return found

    def url_for_result(self, result: Any) -> str:
        """Return the address of a row: the page of its record, else the one of the admin."""
        own = self.model_admin.row_address(result)  # type: ignore[attr-defined]  # a ListAdmin
        return own or page_of(result) or str(super().url_for_result(result))

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> Any:
        """Return the rows with the records that shown columns refer to: in a query for each column, not each row."""
        rows = super().get_queryset(request, exclude_parameters)
        return rows.prefetch_related(*(name for name in record_columns(self.model) if name in self.list_display))


@dataclass(frozen=True)
class ActiveFilter:
    """Filter in force: its title and value, and the address of the list without it."""

    title: str
    value: str
    without: str


def active_filters(page: ListPage) -> list[ActiveFilter]:
    """Return the filters in force, the search last."""
    found = list(_chosen(page))
    if page.query:
        found.append(ActiveFilter("", page.query, page.get_query_string(remove=[SEARCH_VAR, PAGE_VAR])))
    return found


def _chosen(page: ListPage) -> Iterator[ActiveFilter]:
    for spec in page.filter_specs:
        choices = list(spec.choices(page))
        chosen = next((choice for choice in choices if choice.get("selected")), None)
        if chosen is not None and chosen is not choices[0]:
            yield ActiveFilter(str(spec.title), str(chosen["display"]), str(choices[0]["query_string"]))


def chosen_columns(request: HttpRequest, offered: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return the columns that the address names, out of those `offered`; the `usual` ones if it names none."""
    named = request.GET.get(COLUMNS_VAR, "").split(",")
    return list(dict.fromkeys(name for name in named if name in offered)) or list(usual)


def joined_columns(request: HttpRequest) -> str | None:
    """Return the query string of the request with its columns in one parameter, None if they are.

    A form with a check box for each column sends one parameter for each.
    """
    names = request.GET.getlist(COLUMNS_VAR)
    if len(names) < 2:
        return None
    query = request.GET.copy()
    query[COLUMNS_VAR] = ",".join(names)
    return query.urlencode(safe=",")


def view_query(text: str) -> str:
    """Return the query string of a view: that of its list, without the number of the page."""
    query = QueryDict(text, mutable=True)
    for name in (PAGE_VAR, "e"):
        query.pop(name, None)
    return query.urlencode(safe=",")
