"""Workbook to fill in for one kind of file: the columns with their rules, and a sheet that explains them."""

import io
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from core.db.fields import NumberField
from imports.columns import Column
from imports.declared_columns import with_declared
from imports.schema import FileSchema

ROWS = 10_000
"""Rows below the header that offer choices."""
MAX_LIST = 255
"""Longest list of choices that a spreadsheet accepts in a validation rule."""
REQUIRED = PatternFill("solid", fgColor="FFF2CC")


def workbook_template(schema: FileSchema) -> bytes:
    """Return an empty XLSX workbook: required columns are coloured, choices can be picked from a list."""
    schema, book = with_declared(schema), Workbook()
    sheet: Any = book.active
    sheet.title = schema.name
    sheet.append([column.name for column in schema.columns])
    sheet.freeze_panes = "A2"
    for index, column in enumerate(schema.columns, start=1):
        head = sheet.cell(row=1, column=index)
        head.font = Font(bold=True)
        if schema.is_required(column):
            head.fill = REQUIRED
        _add_choices(sheet, head.column_letter, _choices(schema, column))
    notes = book.create_sheet(_("notes"))
    notes.append([_("column"), _("required"), _("content"), _("example")])
    for column in schema.columns:
        required = _("yes") if schema.is_required(column) else _("no")
        notes.append([column.name, required, *_explanation(schema, column)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _choices(schema: FileSchema, column: Column) -> list[str]:
    field = schema.field(column)
    if isinstance(field, models.BooleanField):
        return ["yes", "no"]
    return [str(value) for value, _label in field.flatchoices if value]


def _add_choices(sheet: Any, letter: str, choices: Sequence[str]) -> None:
    options = ",".join(choices)
    if choices and len(options) <= MAX_LIST:
        rule = DataValidation(type="list", formula1=f'"{options}"', allow_blank=True)
        rule.add(f"{letter}2:{letter}{ROWS}")
        sheet.add_data_validation(rule)


def _explanation(schema: FileSchema, column: Column) -> tuple[str, str]:  # noqa: PLR0911  one return for each type
    """Return the content of a column in words, and an example."""
    field, choices = schema.field(column), _choices(schema, column)
    if choices:
        return _("one of: %(choices)s") % {"choices": ", ".join(choices)}, choices[0]
    if isinstance(field, models.DateTimeField):
        text = _("a time with its offset; without one it is read in the zone of the import")
        return text, "2022-09-30T23:59:59+08:00"
    if isinstance(field, NumberField):
        return _("a number with a point and at most %d decimals") % field.decimal_places, "12.5"
    if isinstance(field, models.DecimalField):
        return _("an amount with a point and at most two decimals"), "1000.50"
    if isinstance(field, models.IntegerField):
        return _("a whole number"), "3"
    if isinstance(field, models.ForeignKey):
        return _("the key of a row that is there, formatted as text"), "M00001"
    return _("text; format keys as text, so that no zero is lost"), ""
