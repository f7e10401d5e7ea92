"""Workbooks for reading: sheets with widths, number formats and a frozen heading, written row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from core.spreadsheets import ESCAPED_IN_XLSX, escape_formula

MONEY = "#,##0.00"
STRONG = Font(bold=True)
DAY = "yyyy-mm-dd"
END = Alignment(horizontal="right")


@dataclass(frozen=True)
class Column:
    """Column of a sheet: its heading, its width in characters, and the number format of its values."""

    heading: str
    width: int
    form: str = ""


class Sheet:
    """Sheet of a `Book`. Rows are written as they are added, none is kept."""

    def __init__(
        self, book: Workbook, title: str, columns: Sequence[Column], above: Sequence[Sequence[object]] = ()
    ) -> None:
        self._columns = columns
        self._sheet = book.create_sheet(title)
        self._sheet.freeze_panes = f"A{len(above) + 2}"
        for n, column in enumerate(columns, start=1):
            self._sheet.column_dimensions[get_column_letter(n)].width = column.width
        for row in above:
            self.add(row, strong=True)
        self.add([column.heading for column in columns], strong=True)

    def add(self, values: Sequence[object], *, strong: bool = False) -> None:
        """Add a row; `strong` is for headings and totals."""
        self._sheet.append([self._cell(value, n, strong) for n, value in enumerate(values)])

    def close(self) -> None:
        """End the sheet, also where a row failed: openpyxl streams rows to a temporary file."""
        self._sheet.close()

    def _cell(self, value: object, n: int, strong: bool) -> WriteOnlyCell:
        is_text, column = isinstance(value, str), self._columns[n]
        if isinstance(value, str):
            escaped = escape_formula(value)
            value = ESCAPED_IN_XLSX.sub(lambda match: f"_x{ord(match[0]):04X}_", escaped)
        cell = WriteOnlyCell(self._sheet, value=value)
        if is_text:
            cell.data_type = "s"  # else openpyxl writes text that begins with `=` as a formula
        elif column.form:
            cell.number_format = column.form
        if strong:
            cell.font = STRONG
            if is_text and column.form == MONEY:
                cell.alignment = END
        return cell


class Book:
    """Workbook whose sheets stand in the order in which they are begun, and are filled in any order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._book = Workbook(write_only=True)
        self._sheets: list[Sheet] = []

    def sheet(self, title: str, columns: Sequence[Column], *, above: Sequence[Sequence[object]] = ()) -> Sheet:
        """Begin a sheet with its heading, and the rows that stand above it."""
        self._sheets.append(Sheet(self._book, title, columns, above))
        return self._sheets[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for sheet in self._sheets:
            sheet.close()
        if kind is None:
            self._book.save(self._file)
