"""Columns of declared attributes: what published definitions declare is a part of the files at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from django.utils.translation import gettext as _

from declarations import store
from declarations.attributes import EVENT
from imports.cell_parsers import choice, flag, instant, number, text
from imports.columns import CellType, Column
from imports.schema import Check, FileSchema

LARGEST = "9999999999.9999"
CELL_TYPES: dict[str, Callable[[], CellType]] = {
    "number": lambda: number(most=LARGEST),
    "flag": flag,
    "text": text,
    "choice": choice,
    "instant": instant,
}


def with_declared(schema: FileSchema) -> FileSchema:
    """Return the schema with a column for each attribute that is declared now. One query, if rows can have any."""
    if not schema.row_kind or schema.attributes:
        return schema
    columns = [
        Column(attribute.fact_name, CELL_TYPES[attribute.type](), attribute=attribute)
        for attribute in store.attributes_of(schema.row_kind)
    ]
    if not columns:
        return schema
    checks = _checks_of_events(columns) if schema.row_kind == EVENT else ()
    return replace(schema, columns=(*schema.columns, *columns), checks=(*schema.checks, *checks))


def _checks_of_events(columns: list[Column]) -> Iterator[Check]:
    """Yield the check of each attribute of events: an event has only those of its kind."""
    kinds = {kind.kind: frozenset(kind.attributes) for kind in store.event_kinds().values()}
    for column in columns:
        having = {kind for kind, names in kinds.items() if column.attribute and column.attribute.name in names}
        yield Check(("kind", column.name), partial(_of_kind, having))


def _of_kind(having: set[str], kind: str, value: object) -> str | None:
    if value in (None, "") or kind in having:
        return None
    return _("is no attribute of %(kind)s; leave the cell empty") % {"kind": kind}
