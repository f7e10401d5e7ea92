"""Lists of the admin: chosen columns, saved views, filters and exports."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, DELETION
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.lists import saved_views
from core.lists.cells import Column, columns_of
from core.lists.changelist import ListPage, chosen_columns, joined_columns, view_query
from core.lists.export import TooManyRowsError, export
from core.lists.lookups import OfferedLookupsAdmin
from core.lists.saved_views import SavedViewForm
from core.pagination import CappedPaginator
from core.spreadsheets import CONTENT_TYPES


class ListAdmin(OfferedLookupsAdmin):
    """Admin whose list shows the columns of `list_display`; its address may choose others, also of `more_columns`.

    `tones` shows the choices of a column as pills: by column, the tone of each value. `list_views` are tabs above the
    list, as pairs of a label and a query string. A list with a `list_title` is a page of the navigation, others are
    tables under "Data".
    """

    list_title: str | Promise = ""
    list_intro: str | Promise = ""
    list_views: Sequence[tuple[str | Promise, str]] = ()
    more_columns: Sequence[str] = ()
    tones: Mapping[str, Mapping[Any, str]] = MappingProxyType({})
    can_export = True

    list_per_page = 25
    paginator = CappedPaginator
    show_full_result_count = False  # counting a million rows costs more than showing a page of them

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ListPage]:
        return ListPage

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns that the address of the list chooses, else the usual ones."""
        usual = [str(name) for name in super().get_list_display(request)]
        return chosen_columns(request, [*usual, *self.more_columns], usual)

    def row_address(self, row: Any) -> str:
        """Return the address that a row of the list links to, empty for that of its record."""
        return ""

    def offered_columns(self, request: HttpRequest) -> list[Column]:
        """Return the columns that the list can show."""
        usual = [str(name) for name in super().get_list_display(request)]
        names = [*usual, *(name for name in self.more_columns if name not in usual)]
        return columns_of(self, names, user=request.user)

    def get_urls(self) -> list[Any]:
        """Add the addresses of exports and saved views."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        return [
            path("export.<str:form>", wrap(self.export_view), name=f"{name}_list_export"),
            path("views/save/", wrap(self.save_view), name=f"{name}_save_view"),
            path("views/<int:pk>/delete/", wrap(self.delete_saved_view), name=f"{name}_delete_view"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if (query := joined_columns(request)) is not None:
            return redirect(f"{request.path}?{query}")
        return super().changelist_view(request, extra_context)

    def export_view(self, request: HttpRequest, form: str) -> Any:
        """Send the rows and columns that the address of the list shows."""
        if form not in CONTENT_TYPES or not self.can_export:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            page = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(self._list_address("e=1"))
        columns = columns_of(self, self.get_list_display(request), user=request.user)
        try:
            return export(page.get_queryset(request), columns, name=f"{self.opts.model_name}.{form}", form=form)
        except TooManyRowsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self._list_address(request.GET.urlencode(safe=",")))

    @method_decorator(transaction.atomic)
    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Save the address of the list under a name."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SavedViewForm(request.POST or None, owner=request.user, list_name=self.opts.label_lower)
        if form.is_valid():
            view = form.save()
            if view.is_shared:
                saved_views.log(view, user=request.user, flag=ADDITION, message="shared a view")
            self.message_user(request, _("View saved."), messages.SUCCESS)
            return redirect(self._list_address(view.query))
        for error in (error for errors in form.errors.values() for error in errors):
            self.message_user(request, str(error), messages.ERROR)
        return redirect(self._list_address(view_query(request.POST.get("query", "")[:2_000])))

    @method_decorator(transaction.atomic)
    def delete_saved_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete a saved view of the user, or a shared one for who manages users."""
        view = get_object_or_404(saved_views.deletable_views(self.opts.label_lower, user=request.user), pk=pk)
        if request.method == "POST":
            if view.is_shared:
                saved_views.log(view, user=request.user, flag=DELETION, message="deleted a shared view")
            view.delete()
            self.message_user(request, _("View deleted."), messages.SUCCESS)
        return redirect(self._list_address(""))

    def _list_address(self, query: str) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return f"{address}?{query}" if query else address
