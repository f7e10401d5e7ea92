"""Columns of a file: the name in the header, the type of the cells, and the attribute in which they are stored."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from declarations.attributes import Attribute

CellParser = Callable[[str], object]
CellType = Callable[["models.Field[Any, Any]", tzinfo | None], CellParser]

PLACEHOLDERS = frozenset(r"null (null) <null> nan nat n/a #n/a <na> <none> \n - -- — #null!".split())
"""Words, in lower case, that programs write for an empty value. `NA` is none of them: it is Namibia."""
EXACT_PLACEHOLDERS = frozenset(("None", "undefined"))
"""Such words that mean something else in another case of letters."""
SPREADSHEET_ERROR = re.compile(r"#(?:REF!|VALUE!|DIV/0!|NAME\?|NUM!|SPILL!|CALC!|#+)")
MAX_REMEMBERED = 20_000


class CellError(ValueError):
    """Raised for a cell, or a whole file, that cannot be read. Its text is the reason, its code is for programs."""

    code = "invalid"


class EmptyCellError(CellError):
    """Raised for a cell without the value that it must have."""

    code = "required"


@dataclass(frozen=True)
class Column:
    """One column of a file: its name in the header, its cell type, and `to`, the attribute in which it is stored.

    An empty `to` means the name of the column. The header must have a `required` column, and its cells are not empty.
    The column of a declared `attribute` is stored under its name in the JSON column `attributes` of the row.
    """

    name: str
    cell_type: CellType
    to: str = ""
    required: bool = False
    attribute: Attribute | None = None

    @property
    def attname(self) -> str:
        return self.to or self.name

    def field(self, model: type[models.Model]) -> "models.Field[Any, Any]":
        """Return the model field of the column; that of a declared attribute belongs to no model."""
        if self.attribute:
            return self.attribute.model_field()
        return next(field for field in model._meta.concrete_fields if field.attname == self.attname)

    def parser(self, model: type[models.Model], zone: tzinfo | None, *, repeats: bool) -> CellParser:
        """Return a parser of the column's cells. Where values often repeat, parsed cells are remembered."""
        field = self.field(model)
        target = field.target_field if isinstance(field, models.ForeignKey) else field
        parse = self.cell_type(target, zone)
        default = None if field.null else field.get_default()
        cells = ParsedCells(parse, required=self.required, default=default)
        return cells.__getitem__ if repeats else cells.parse_once


class ParsedCells(dict[str, object]):
    """Cache of parsed cells; it is cleared when it is full. An empty cell is `default`, or an error if required."""

    def __init__(self, parse: CellParser, *, required: bool, default: object) -> None:
        super().__init__()
        self.parse = parse
        self.required = required
        self.default = default

    def __missing__(self, cell: str) -> object:
        value = self.parse_once(cell)
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[cell] = value
        return value

    def parse_once(self, cell: str) -> object:
        if cell:
            try:
                return self.parse(cell)
            except CellError as error:
                raise CellError(placeholder_reason(cell) or str(error)) from error
        if self.required:
            raise EmptyCellError(_("is empty"))
        return self.default


def placeholder_reason(cell: str) -> str | None:
    """Return the reason against a cell that another program wrote for an empty value or an error."""
    word = cell.strip(" ")
    if word.lower() in PLACEHOLDERS or word in EXACT_PLACEHOLDERS:
        return _("stands for an empty value in other programs: leave the cell empty")
    if SPREADSHEET_ERROR.fullmatch(cell):
        return _("is an error of a spreadsheet, or a number that its column was too narrow to show")
    return None
