"""Base class of the admin's pages of rows that domain functions alone write."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import search
from core.lists.admin import ListAdmin
from core.permissions import view_permission


class ReadOnlyAdmin(ListAdmin):
    """Admin list with a page for each row; nothing can be added, changed or deleted.

    A search finds rows by the beginning of a code in `search_codes`, by words in `search_texts`, and by the code or
    name of a record that `search_related` refers to, if the user may view such records.
    """

    search_codes: Sequence[str] = ()
    search_texts: Sequence[str] = ()
    search_related: Sequence[str] = ()
    search_help_text = gettext_lazy("Number, code or name, in either language")

    @admin.display(description=gettext_lazy("merchant"), ordering="merchant_id")
    def merchant_code(self, row: Any) -> str:
        """Return the code of the row's merchant, without a query for its name."""
        return row.merchant_id or ""

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return all columns that are searched; without any the page has no search box."""
        named = ("pk",) if search.is_named(self.model) else ()
        return (*self.search_codes, *self.search_texts, *self._related(request), *named)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text or not self.get_search_fields(request):
            return queryset, False
        columns = {"codes": self.search_codes, "texts": self.search_texts, "related": self._related(request)}
        return queryset.filter(search.matches(self.model, text, **columns)), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the page of a row, with the code of its merchant where its name is not to be seen."""
        fields = list(super().get_fields(request, obj))
        if "merchant" not in fields or request.user.has_perm(view_permission(search.model_at(self.model, "merchant"))):
            return fields
        return ["merchant_code" if name == "merchant" else name for name in fields]

    def _related(self, request: HttpRequest) -> list[str]:
        """Return the references in `search_related` to records that the user may view."""
        targets = {path: search.model_at(self.model, path) for path in self.search_related}
        return [path for path, model in targets.items() if request.user.has_perm(view_permission(model))]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
