"""Base classes of admin pages: lists filter by what they offer; rows are written by domain functions alone."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateField, Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import search
from core.pagination import CappedPaginator

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin  # not subscriptable at run time


class OfferedLookupsAdmin(Base):
    """Admin whose list accepts in its address only the filters that it offers; any other gets 400.

    Django accepts every lookup on every column. With `?secret__regex=` a person who may view a list could then read a
    column that no page shows, one character at a time, and a regular expression can keep a database busy for minutes.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return True for the parameters of `list_filter`."""
        filters = self.list_filter if request is None else self.get_list_filter(request)
        return any(lookup in _parameters(self.model, each) for each in filters)


class ReadOnlyAdmin(OfferedLookupsAdmin):
    """Admin list with a page for each row; nothing can be added, changed or deleted.

    A search finds rows by the beginning of a code in `search_codes`, by words in `search_texts`, and by the code or
    name of a record that `search_related` refers to.
    """

    search_codes: Sequence[str] = ()
    search_texts: Sequence[str] = ()
    search_related: Sequence[str] = ()
    search_help_text = gettext_lazy("Number, code or name, in either language")

    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False  # counting a million rows costs more than showing a page of them

    @admin.display(description=gettext_lazy("merchant"), ordering="merchant_id")
    def merchant_code(self, row: Any) -> str:
        """Return the code of the row's merchant, without a query for its name."""
        return row.merchant_id or ""

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return all columns that are searched; without any the page has no search box."""
        named = ("pk",) if search.is_named(self.model) else ()
        return (*self.search_codes, *self.search_texts, *self.search_related, *named)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text or not self.get_search_fields(request):
            return queryset, False
        columns = {"codes": self.search_codes, "texts": self.search_texts, "related": self.search_related}
        return queryset.filter(search.matches(self.model, text, **columns)), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _parameters(model: type[Model], list_filter: Any) -> Iterator[str]:
    """Yield the parameters of the address that one entry of `list_filter` reads.

    A filter class of this project may name more of them in `extra_parameters`.
    """
    path, kind = list_filter if isinstance(list_filter, tuple) else (list_filter, None)
    if not isinstance(path, str):
        path, kind = "", path
    yield from getattr(kind, "extra_parameters", ())
    if not path:
        yield kind.parameter_name
        return
    field = get_fields_from_path(model, path)[-1]
    yield from (path, f"{path}__exact", f"{path}__isnull", f"{path}__isempty")
    if isinstance(field, RelatedField):
        yield f"{path}__{field.target_field.name}__exact"
    if isinstance(field, DateField):
        yield from (f"{path}__gte", f"{path}__lt")
