"""Base class of admin pages for rows that only the domain functions of this code may write."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from core.pagination import CappedPaginator

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin  # not subscriptable at run time


class ReadOnlyAdmin(Base):
    """Admin list with a page for each row; nothing can be added, changed or deleted."""

    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False  # counting a million rows costs more than showing a page of them

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
