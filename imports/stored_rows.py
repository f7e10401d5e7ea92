"""Facts that are recorded already, completed and compared with what a call states about them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from core.keys import normalize_key
from imports.columns import CellError, CellParser, Column
from imports.schema import FileSchema

Key = tuple[object, ...]


def parse_keys(
    schema: FileSchema, parsers: Mapping[str, CellParser], facts: Sequence[Mapping[str, str | None]]
) -> list[Key | None]:
    """Return the key of each fact, None where it is not valid: the parser of rows reports why."""
    return [_key(schema, parsers, fact) for fact in facts]


def _key(schema: FileSchema, parsers: Mapping[str, CellParser], fact: Mapping[str, str | None]) -> Key | None:
    try:
        return tuple(parsers[name](fact.get(name) or "") for name in schema.key)
    except CellError:
        return None


def fetch(schema: FileSchema, keys: Sequence[Key | None]) -> dict[Key, models.Model]:
    """Return the stored rows with these keys, by key."""
    wanted = {key for key in keys if key is not None}
    first = schema.key_columns[0].attname
    rows = schema.model._default_manager.filter(**{f"{first}__in": {key[0] for key in wanted}})
    stored = {tuple(getattr(row, column.attname) for column in schema.key_columns): row for row in rows}
    return {key: row for key, row in stored.items() if key in wanted}


def cells(schema: FileSchema, row: models.Model) -> dict[str, str]:
    """Return a stored row as the cells of a file would state it, by column."""
    return {column.name: _cell(schema, row, column) for column in schema.columns}


def _cell(schema: FileSchema, row: models.Model, column: Column) -> str:
    value: Any = schema.value(row, column)
    if column.attname in schema.imported:
        # A person may have changed the column since: keeping it repeats the last import and is no act.
        last = getattr(row, schema.imported[column.attname])
        value = value if last is None else last
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def moves(schema: FileSchema, row: models.Model, fact: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield column, value and reason for each row that a stored row belongs to and that a fact states differently."""
    for column in schema.owners:
        stored = str(getattr(row, column.attname))
        if column.name in fact and normalize_key(fact[column.name]) != stored:
            reason = _("belongs to %(stored)s already: to move it on purpose, say `allow_moves`")
            yield column.name, fact[column.name], reason % {"stored": stored}
