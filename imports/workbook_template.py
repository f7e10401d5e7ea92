"""What helps whoever fills in a file: an empty one to begin with, and the rejected rows with what is wrong."""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from core.spreadsheets import to_csv
from imports.cell_parsers import CellError, Column
from imports.file_reader import UPLOAD_LIMIT, open_file
from imports.importer import import_file
from imports.schema import FileSchema, RowError

MOST_REJECTED = 10_000
ROWS = 10_000
REQUIRED = PatternFill("solid", fgColor="FFF2CC")


def template(file: FileSchema) -> bytes:
    """An empty workbook: the columns, those required marked, choices to pick from, and a sheet that explains them."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = file.name
    sheet.append([column.name for column in file.columns])
    sheet.freeze_panes = "A2"
    for n, column in enumerate(file.columns, start=1):
        head = sheet.cell(row=1, column=n)
        head.font = Font(bold=True)
        if _is_required(file, column):
            head.fill = REQUIRED
        _offer_choices(sheet, n, _choices(file, column))
    notes = book.create_sheet(_("notes"))
    notes.append([_("column"), _("required"), _("what it holds"), _("example")])
    for column in file.columns:
        required = _("yes") if _is_required(file, column) else _("no")
        notes.append([column.name, required, *_holds(file, column)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _field(file: FileSchema, column: Column) -> "models.Field[Any, Any]":
    return next(field for field in file.model._meta.concrete_fields if field.attname == column.attname)


def _is_required(file: FileSchema, column: Column) -> bool:
    return column.required or column.name in file.key


def _choices(file: FileSchema, column: Column) -> list[str]:
    field = _field(file, column)
    if isinstance(field, models.BooleanField):
        return ["yes", "no"]
    return [str(value) for value, _label in field.flatchoices if value]


def _offer_choices(sheet: Any, n: int, choices: Sequence[str]) -> None:
    listed = ",".join(choices)
    if choices and len(listed) <= 255:  # a spreadsheet takes no longer list in a cell's own rule
        rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
        letter = sheet.cell(row=1, column=n).column_letter
        rule.add(f"{letter}2:{letter}{ROWS}")
        sheet.add_data_validation(rule)


def _holds(file: FileSchema, column: Column) -> tuple[str, str]:
    """What a cell of the column may hold, and an example."""
    field, choices = _field(file, column), _choices(file, column)
    if choices:
        return _("one of: %(choices)s") % {"choices": ", ".join(choices)}, choices[0]
    if isinstance(field, models.DateTimeField):
        return _(
            "a time with its offset; without one it is read in the zone of the import"
        ), "2022-09-30T23:59:59+08:00"
    if isinstance(field, models.DecimalField):
        return _("an amount with a point and at most two decimals"), "1000.50"
    if isinstance(field, models.PositiveIntegerField):
        return _("a whole number"), "3"
    if isinstance(field, models.ForeignKey):
        return _("the key of a row that is there, formatted as text"), "M00001"
    return _("text; format keys as text, so that no zero is lost"), ""


def rejected(file: FileSchema, path: Path, *, zone: tzinfo, now: datetime, name: str) -> bytes:
    """The rows of a file that would be refused, as CSV, with a column `error` behind; nothing is taken.

    At most MOST_REJECTED of them. What is wrong with the file as a whole stands in a row of its own.
    """
    wrong: dict[int, list[str]] = {}

    def note(complaint: RowError) -> None:
        if complaint.line in wrong or len(wrong) < MOST_REJECTED:
            wrong.setdefault(complaint.line, []).append(complaint.said)

    import_file(file, path, zone=zone, now=now, report=note, name=name, limit=UPLOAD_LIMIT, keep=False)
    return to_csv(_rejected_rows(path, wrong))


def _rejected_rows(path: Path, wrong: dict[int, list[str]]) -> Iterator[Sequence[object]]:
    try:
        with open_file(path, limit=UPLOAD_LIMIT) as source:
            yield [*source.header, "error"]
            for said in wrong.get(0, ()):
                yield [*("" for _column in source.header), said]
            for number, cells in source.lines:
                if number in wrong:
                    shown = [text.lstrip("\0") for text in cells]
                    shown += [""] * (len(source.header) - len(shown))
                    yield [*shown, "; ".join(wrong[number])]
    except CellError as refusal:
        yield ["error"]
        yield [str(refusal)]
