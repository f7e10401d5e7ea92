"""Schema of a file of facts: its columns, its key, its rules, and the rows of other files that it refers to."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from core.facts import ATTRIBUTES
from declarations.attributes import Attribute
from imports.columns import Column
from imports.mapping_text import suggestion

MAX_COLUMNS = 200
MAX_HEADER_ERRORS = 4
MAX_HEADER_SHOWN = 20
MAX_SHOWN = 80
"""Longest cell value that an error message repeats in full."""


@dataclass(frozen=True)
class RowError:
    """One error in a file. `line` is the line of the file, starting at 1; 0 is the file as a whole.

    `code` is the kind of error for programs: `required`, `unknown` (a column, or a value that names nothing),
    `duplicate`, `conflict` (with a stored row or another column), otherwise `invalid`.
    """

    file: str
    line: int
    column: str
    value: str
    reason: str
    code: str = "invalid"

    def __str__(self) -> str:
        place = _("%(file)s line %(line)d") % {"file": self.file, "line": self.line} if self.line else self.file
        return f"{place}, {self.message}" if self.column else f"{place}: {self.message}"

    @property
    def message(self) -> str:
        """Column, value and reason, without the name of the file and the line."""
        return f"{self.column} {_quoted(self.value)}: {self.reason}" if self.column else self.reason


def _quoted(value: str) -> str:
    """Shorten a value and escape control characters, which a terminal would obey."""
    short = value if len(value) <= MAX_SHOWN else f"{value[: MAX_SHOWN - 1]}…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


OnError = Callable[[RowError], object]


@dataclass(frozen=True)
class Check:
    """Rule between columns of one row: `error` gets their values and returns a reason or None.

    The error is reported for the last of the columns.
    """

    columns: tuple[str, ...]
    error: Callable[..., str | None]


@dataclass(frozen=True)
class Agreement:
    """Rule that the row named by column `reference` belongs to the same owner as this row.

    `owner` is the attribute of the named row that holds its owner's key. This row's owner is in its own column
    `column`, or in the attribute `by` of the row that this column names.
    """

    reference: str
    owner: str
    column: str
    by: str = ""


@dataclass(frozen=True)
class SplitEvents:
    """Two events of one row that may arrive in two rows with the same key, in either order.

    A row without `first` reports `later` alone. A row without `later` that follows it reports `first` alone. Each keeps
    what the other stored. `flag` is the column that remembers that `later` was reported alone: only then does an empty
    cell not erase it.
    """

    first: str
    later: str
    flag: str


@dataclass(frozen=True)
class FileSchema:
    """Schema of one kind of file, for CSV and XLSX, uploads, calls and exports alike.

    `name` is the name of the file without its suffix, `key` the columns that identify a row. `joined_key` is the
    primary key of the model where it is made of the key columns, joined by a slash. `imported` is for columns that a
    person may change too: by the column, the one that remembers the value last imported. The later act wins, and a file
    that repeats the value imported before is no act. Rows of no merchant are for programs of the marketplace alone,
    unless they are `public`. `row_kind` is the word under which definitions declare attributes of the rows;
    `imports.declared_columns` adds their columns.
    """

    name: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    joined_key: str = ""
    public: bool = False
    split_events: SplitEvents | None = None
    imported: Mapping[str, str] = field(default_factory=dict)
    row_kind: str = ""

    @cached_property
    def columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def key_columns(self) -> list[Column]:
        return [self.columns_by_name[name] for name in self.key]

    @cached_property
    def _fields(self) -> "dict[str, models.Field[Any, Any]]":
        return {column.name: column.field(self.model) for column in self.columns}

    def field(self, column: Column) -> "models.Field[Any, Any]":
        """Return the model field in which a column is stored, or the one that describes a declared attribute."""
        return self._fields[column.name]

    @cached_property
    def own_columns(self) -> tuple[Column, ...]:
        """The columns that have a column of the table each."""
        return tuple(column for column in self.columns if not column.attribute)

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The declared attributes, which share a column of the table."""
        return tuple(column.attribute for column in self.columns if column.attribute)

    def value(self, row: models.Model, column: Column) -> Any:
        """Return the value of a column in a stored row."""
        if column.attribute:
            return column.attribute.read(getattr(row, ATTRIBUTES))
        return getattr(row, column.attname)

    def is_required(self, column: Column) -> bool:
        """Return whether the header must have the column."""
        return column.required or column.name in self.key

    @property
    def import_permission(self) -> str:
        """Permission to import the file: the one to add rows of its model."""
        return f"{self.model._meta.app_label}.add_{self.model._meta.model_name}"

    @cached_property
    def references(self) -> dict[Column, type[models.Model]]:
        """The columns that name a row of another file, with the model of that file."""
        parents = {column: self.field(column).related_model for column in self.columns}
        return {column: parent for column, parent in parents.items() if isinstance(parent, type)}

    @property
    def owners(self) -> list[Column]:
        """The references to rows that a row belongs to: it must have them, and they are no part of its key."""
        return [column for column in self.references if column.required and column not in self.key_columns]

    @property
    def instant_columns(self) -> list[Column]:
        return [column for column in self.columns if isinstance(self.field(column), models.DateTimeField)]

    @cached_property
    def mostly_unique_columns(self) -> set[Column]:
        """The columns whose values hardly repeat within a file, so that remembering parsed cells is no gain."""
        amounts = {column for column in self.columns if isinstance(self.field(column), models.DecimalField)}
        return amounts | set(self.instant_columns) | set(self.key_columns if len(self.key) == 1 else ())

    def header_errors(self, header: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield each error of the header as column and reason."""
        if len(header) > MAX_COLUMNS:
            yield "", _("has %d columns") % len(header)
            return
        for name in dict.fromkeys(header):
            if name not in self.columns_by_name:
                yield name, self.unknown_column(name) if name else _("a column without a name")
            elif header.count(name) > 1:
                yield name, _("the column stands %d times") % header.count(name)
        for column in self.columns:
            if self.is_required(column) and column.name not in header:
                yield column.name, _("the column is missing")

    def unknown_column(self, name: str) -> str:
        """Return the error of a column that the file does not have, with the nearest one."""
        reason = _("unknown column")
        if self.row_kind and name.startswith(f"{ATTRIBUTES}."):
            reason = _("no published definition declares this attribute: publish the definition, then import the file")
        return reason + suggestion(name, self.columns_by_name)


def summarize_header_errors(errors: Sequence[tuple[str, str]], *, mapped: bool) -> Iterator[tuple[str, str]]:
    """Yield the errors of a header; more than four become one that names the columns and the likely cause."""
    if len(errors) <= MAX_HEADER_ERRORS:
        yield from errors
        return
    by_reason: dict[str, list[str]] = {}
    for column, reason in errors:
        by_reason.setdefault(reason.partition(";")[0], []).append(column)
    parts = [
        f"{reason}: {', '.join(map(_quoted, columns[:MAX_HEADER_SHOWN]))}" for reason, columns in by_reason.items()
    ]
    if not mapped:
        parts.append(_("a file with the columns of another system needs a column mapping"))
    yield "", "; ".join(parts)


class ErrorKinds:
    """Errors by their kind: the column and the reason, whatever value and number they name."""

    MAX_KINDS = 100
    MAX_LINES = 5

    def __init__(self) -> None:
        self.kinds: dict[tuple[str, str, str], tuple[RowError, list[int], int]] = {}

    def add(self, error: RowError) -> None:
        reason = error.reason.replace(error.value, "…") if error.value else error.reason
        kind = (error.file, error.column, re.sub(r"[0-9]+", "#", reason))
        first, lines, count = self.kinds.get(kind, (error, [], 0))
        if count or len(self.kinds) < self.MAX_KINDS:
            lines = [*lines, error.line] if len(lines) < self.MAX_LINES else lines
            self.kinds[kind] = (first, lines, count + 1)

    def repeated(self) -> list[str]:
        """Return a summary of each kind that more rows have than are easily counted."""
        return [self._text(*kind) for kind in self.kinds.values() if kind[2] > self.MAX_LINES]

    def all(self) -> list[str]:
        """Return one text for each kind, with the number of its rows and the first lines."""
        return [self._text(*kind) for kind in self.kinds.values()]

    @staticmethod
    def _text(first: RowError, lines: list[int], count: int) -> str:
        if count == 1:
            return str(first)
        shown = ", ".join(map(str, lines)) + (" …" if count > len(lines) else "")
        rows = _("%(n)d rows with this error, in lines %(lines)s") % {"n": count, "lines": shown}
        return f"{first} ({rows})"
