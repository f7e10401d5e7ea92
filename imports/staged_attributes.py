"""Declared attributes of staged rows: one JSON object a row, merged with what is stored."""
# ruff: noqa: S608

from collections.abc import Iterable, Iterator, Sequence

from core.facts import ATTRIBUTES
from declarations.stored_values import to_json
from imports.schema import FileSchema


def with_objects(
    schema: FileSchema, rows: Iterable[Sequence[object]], header: Sequence[str]
) -> Iterator[Sequence[object]]:
    """Yield rows with the attributes of the header as one object at the end, null for those without a value."""
    own = 1 + len(schema.own_columns)
    stated = [
        (own + n, attribute.name) for n, attribute in enumerate(schema.attributes) if attribute.fact_name in header
    ]
    for row in rows:
        yield *row[:own], {name: to_json(row[n]) for n, name in stated}


def merge_statements(stage: str, table: str, same_key: str, *, vendor: str) -> list[str]:
    """Return the SQL that completes staged attributes by the stored ones which a file does not state.

    Null then removes an attribute. `same_key` joins the staged row `s` with the stored row `t`.
    """
    if vendor == "postgresql":
        merged, stripped = f"t.{ATTRIBUTES} || s.{ATTRIBUTES}", f"jsonb_strip_nulls({ATTRIBUTES})"
    else:
        merged, stripped = f"json_patch(t.{ATTRIBUTES}, s.{ATTRIBUTES})", f"json_patch('{{}}', {ATTRIBUTES})"
    return [
        f"UPDATE {stage} AS s SET {ATTRIBUTES} = {merged} FROM {table} AS t WHERE {same_key}",
        f"UPDATE {stage} SET {ATTRIBUTES} = {stripped}",
    ]


def erased(schema: FileSchema) -> Iterator[str]:
    """Yield for each attribute the SQL condition that a staged row `s` erases the value of the stored row `t`."""
    for attribute in schema.attributes:
        value = f"{ATTRIBUTES} ->> '{attribute.name}'"
        yield f"((t.{value}) IS NOT NULL AND (s.{value}) IS NULL)"
