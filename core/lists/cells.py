"""Cells of a list of the admin: what one column shows of one row, on the page and in an export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from core.formatting import format_money, format_number


@dataclass(frozen=True)
class _Page:
    """Page of the records of a model: its view, the attribute that its address takes, and the permission it needs."""

    view: str
    attribute: str
    permission: str


_pages: dict[type[models.Model], _Page] = {}


def register_page(model: type[models.Model], view: str, attribute: str, permission: str) -> None:
    """Let each reference to a record of `model` in a list show its name and link to its page.

    To users without `permission` it shows the code alone.
    """
    _pages[model] = _Page(view, attribute, permission)


def page_of(record: models.Model) -> str:
    """Return the address of the page of a record, empty if its model has none."""
    page = _pages.get(type(record))
    return reverse(page.view, args=[getattr(record, page.attribute)]) if page else ""


def record_columns(model: type[models.Model]) -> list[str]:
    """Return the fields of a model that refer to records with a page."""
    return [field.name for field in model._meta.fields if field.is_relation and field.related_model in _pages]


@dataclass(frozen=True)
class Cell:
    """Content of a cell. `value` is text, or an instant; `note` stands below it; `tone` makes it a pill."""

    label: str
    value: Any
    kind: str = "text"
    note: str = ""
    href: str = ""
    tone: str = ""
    field: Any = None  # of the model, None for a method of the admin


@dataclass(frozen=True)
class Column:
    """Column of a list for one admin and one user: a field of the model or a method of the admin."""

    name: str
    label: str
    admin: Any
    user: Any

    def cell(self, row: models.Model) -> Cell:
        """Return the content of this column for a row."""
        try:
            field, _attr, value = lookup_field(self.name, row, self.admin)
        except ObjectDoesNotExist:
            return Cell(self.label, "")
        if field is None:
            return Cell(self.label, "" if value is None else value)
        if isinstance(value, models.Model):
            return _record_cell(self.label, value, field, self.user)
        return _field_cell(self.label, field, value, row, self.admin.tones.get(self.name, {}))

    def headers(self) -> list[str]:
        """Return the headers of this column in an export: one for each of its values."""
        if (field := self._record_field()) is not None:
            name = _("%(column)s (name)") % {"column": self.label}
            return [self.label, name] if _shows_names(field.related_model, self.user) else [self.label]
        return [self.label, _("%(column)s (currency)") % {"column": self.label}] if self._is_money() else [self.label]

    def values(self, row: models.Model) -> Iterator[object]:
        """Yield the values of a row for an export: numbers and instants as such, everything else as text."""
        if (field := self._record_field()) is not None:
            record = getattr(row, field.name)
            yield getattr(row, field.attname)
            if _shows_names(field.related_model, self.user):
                yield named(record)[0] if record else ""
            return
        cell = self.cell(row)
        if cell.field is None or cell.field.choices or cell.field.is_relation:
            yield strip_tags(str(cell.value))
        else:
            yield getattr(row, cell.field.attname)
        if self._is_money():
            yield getattr(row, "currency", "")

    def _field(self) -> Any:
        names = {field.name: field for field in self.admin.model._meta.fields}
        return names.get(self.name)

    def _record_field(self) -> Any:
        """Return the field if it refers to a record with a page and a name."""
        field = self._field()
        return field if field is not None and field.is_relation and field.related_model in _pages else None

    def _is_money(self) -> bool:
        return isinstance(self._field(), models.DecimalField) and _has_currency(self.admin.model)


def columns_of(admin: Any, names: list[str], *, user: Any) -> list[Column]:
    """Return the columns with those names, as `user` may see them."""
    return [Column(name, str(label_for_field(name, admin.model, admin)), admin, user) for name in names]


def named(record: models.Model) -> tuple[str, str]:
    """Return the name of a record and its code, which is empty if it has none."""
    attribute = _pages[type(record)].attribute
    code = "" if attribute == "pk" else str(getattr(record, attribute))
    name = str(getattr(record, "name", "") or getattr(record, "name_en", "") or code or record)
    return name, code if name != code else ""


def _field_cell(label: str, field: Any, value: Any, row: models.Model, tones: Mapping[Any, str]) -> Cell:
    if value is None or value == "":
        return Cell(label, "", field=field)
    if field.choices:
        text = str(dict(field.flatchoices).get(value, value))
        return Cell(label, text, "pill" if value in tones else "text", tone=tones.get(value, ""), field=field)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    kind = "instant" if isinstance(value, datetime) else "number" if is_number else "text"
    return Cell(label, _shown(value, row), kind, field=field)


def _shown(value: Any, row: models.Model) -> Any:
    """Return a value as the page shows it: text, but for instants."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Decimal) and _has_currency(type(row)):
        return format_money(value, row.currency)  # type: ignore[attr-defined]  # it has this field
    if isinstance(value, int | Decimal):
        return format_number(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, datetime) else str(value)


def _record_cell(label: str, record: models.Model, field: Any, user: Any) -> Cell:
    page = _pages.get(type(record))
    if page is None:
        return Cell(label, str(record), field=field)
    if not _shows_names(type(record), user):
        return Cell(label, str(getattr(record, page.attribute)), field=field)
    name, code = named(record)
    return Cell(label, name, note=code, href=page_of(record), field=field)


def _shows_names(model: type[models.Model], user: Any) -> bool:
    """Return whether a list shows a user the names of the records of a model with a page."""
    return bool(user.has_perm(_pages[model].permission))


def _has_currency(model: type[models.Model]) -> bool:
    return any(field.name == "currency" for field in model._meta.fields)
