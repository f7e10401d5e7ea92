"""Template tags of the lists of the admin: rows, filters, tabs and actions."""

from typing import Any, cast

from django import template
from django.contrib.admin.filters import ListFilter
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.lists import saved_views
from core.lists.admin import ListAdmin
from core.lists.cells import columns_of
from core.lists.changelist import COLUMNS_VAR, ActiveFilter, ListPage
from core.lists.changelist import active_filters as find_active_filters
from core.lists.filters import DateRange

register = template.Library()
CHECK_BOX = "action_checkbox"


@register.simple_tag
def list_columns(page: ListPage) -> list[dict[str, Any]]:
    """Return the heads of the columns, without that of the check boxes."""
    names = [str(name) for name in page.list_display]
    heads = zip(names, result_headers(page), strict=True)
    return [{**head, "name": name} for name, head in heads if name != CHECK_BOX]


@register.simple_tag(takes_context=True)
def list_rows(context: dict[str, Any], page: ListPage) -> list[dict[str, Any]]:
    """Return the rows of the page with their key, their cells, and the address of each row's page."""
    names = [str(name) for name in page.list_display if name != CHECK_BOX]
    columns = columns_of(page.model_admin, names, user=context["request"].user)
    return [
        {"pk": row.pk, "text": str(row), "href": page.url_for_result(row), "cells": [c.cell(row) for c in columns]}
        for row in page.result_list
    ]


@register.simple_tag
def active_filters(page: ListPage) -> list[ActiveFilter]:
    """Return the filters in force."""
    return find_active_filters(page)


@register.simple_tag
def filter_choices(page: ListPage, spec: ListFilter) -> list[Any]:
    """Return the choices of a filter."""
    return list(spec.choices(page))


@register.filter
def is_date_range(spec: ListFilter) -> bool:
    """Return whether a filter is one by days."""
    return isinstance(spec, DateRange)


@register.simple_tag
def hidden_parameters(page: ListPage, *without: str) -> SafeString:
    """Return the parameters of the list's address as hidden inputs of a form, without the page and those named."""
    kept = ((name, value) for name, value in page.params.items() if name not in (*without, PAGE_VAR))
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', kept)


@register.simple_tag(takes_context=True)
def list_tabs(context: dict[str, Any], page: ListPage) -> list[dict[str, Any]]:
    """Return the tabs above a list: its usual views and the saved ones."""
    request: HttpRequest = context["request"]
    views = cast(ListAdmin, page.model_admin).list_views
    name = page.opts.label_lower
    return list(saved_views.tabs(name, views, user=request.user, query=request.GET.urlencode()))


@register.simple_tag(takes_context=True)
def may_share_views(context: dict[str, Any], page: ListPage) -> bool:
    """Return whether the user may share views of the list."""
    return saved_views.may_share(context["request"].user, page.opts.label_lower)


@register.simple_tag
def list_actions(action_form: Any) -> list[tuple[str, str]]:
    """Return the actions on selected rows, as pairs of name and label."""
    return [(name, label) for name, label in action_form.fields["action"].choices if name] if action_form else []


@register.simple_tag(takes_context=True)
def column_choices(context: dict[str, Any], page: ListPage) -> list[dict[str, Any]]:
    """Return the columns that the list can show, and whether it does."""
    offered = cast(ListAdmin, page.model_admin).offered_columns(context["request"])
    return [{"name": c.name, "label": c.label, "shown": c.name in page.list_display} for c in offered]


@register.simple_tag
def columns_parameter() -> str:
    """Return the name of the parameter that chooses columns."""
    return COLUMNS_VAR


@register.simple_tag
def page_links(page: ListPage) -> dict[str, str]:
    """Return the addresses of the page before and the page after, empty where there is none."""
    before, after = page.page_num - 1, page.page_num + 1
    return {
        "before": page.get_query_string({PAGE_VAR: before}) if before >= 1 else "",
        "after": page.get_query_string({PAGE_VAR: after}) if after <= page.paginator.num_pages else "",
    }
