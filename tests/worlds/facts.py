"""Rows of facts, as cells of the files that the schemas of the imports describe."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models

from imports.columns import CellError, CellParser, Column
from imports.registry import all_schemas, find_schema
from imports.schema import FileSchema
from tests.worlds.values import Values
from tests.worlds.world import Row

Facts = dict[str, dict[tuple[str, ...], Row]]
"""Rows by file and key."""

ALWAYS = {"merchants": (2, 3), "memberships": (0, 3), "reference_lists": (0, 3)}
NAMED, OTHERS, POINTED_TO = (5, 9), (0, 2), (1, 3)
NAMED_IN_DEFINITIONS = {
    ("claim_requests", "offer"): ("o0", "o1", "o2", "a0", "a1"),
    ("usages", "use"): ("mail", "mail", "fax"),
    ("events", "kind"): ("webinar",),
}
"""Cells that name what a definition has, by file and column."""
MOST_DRAWS = 20
"""Cells that are drawn for a column until one lies within its bounds."""


def facts(values: Values, named: Iterable[str]) -> Facts:
    """Return rows of every file, more of those that the definition names, each file after those it refers to.

    Collections without a file, such as ratings, have no rows: the engine writes them.
    """
    rows: Facts = {}
    wanted = {*named, *({"receipts"} if "trade_orders" in named else ())} & {schema.name for schema in all_schemas()}
    pointed_to = {name for file in wanted for name in _parents(file)} - wanted
    for schema in all_schemas():
        usual = POINTED_TO if schema.name in pointed_to else OTHERS
        low, high = ALWAYS.get(schema.name, NAMED if schema.name in wanted else usual)
        new_rows = (new_row(values, schema, rows, n) for n in range(values.rng.randint(low, high)))
        rows[schema.name] = {key_of(schema, row): row for row in new_rows if row is not None}
    return rows


def _parents(file: str) -> set[str]:
    """Return the files to whose rows those of a file point, directly or by way of others."""
    own = {_file_of(parent).name for parent in find_schema(file).references.values()}
    return own.union(*map(_parents, own))


def key_of(schema: FileSchema, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in schema.key)


def new_row(values: Values, schema: FileSchema, rows: Facts, number: int) -> Row | None:
    """Return a row with every column, or None where the row that it refers to does not exist."""
    row: Row = {}
    for column in schema.columns:
        cell = new_cell(values, schema, column, rows, number=number)
        if cell is None:
            return None
        row[column.name] = cell
    return agreeing(values, schema, rows, consistent(_prepaid(values, row)))


def agreeing(values: Values, schema: FileSchema, rows: Facts, row: Row) -> Row | None:
    """Return the row so that what it names belongs to its owner, None where nothing does that it needs."""
    row = dict(row)
    for rule in schema.agreements:
        column, other = schema.columns_by_name[rule.reference], schema.columns_by_name[rule.column]
        own = _owner(rows, schema.references[other], row[other.name], rule.by) if rule.by else row[other.name]
        fitting = [
            key[0]
            for key in rows[_file_of(schema.references[column]).name]
            if _owner(rows, schema.references[column], key[0], rule.owner) == own
        ]
        if row[column.name] in ("", *fitting):
            continue
        if not fitting and schema.is_required(column):
            return None
        row[column.name] = values.rng.choice(fitting) if fitting else ""
    return row


def _owner(rows: Facts, model: type[models.Model], key: str, attname: str) -> str:
    """Return the cell of the column that is stored in `attname` of a row of the model's file."""
    schema = _file_of(model)
    name = next(column.name for column in schema.columns if column.attname == attname)
    return rows[schema.name][(key,)][name]


def _file_of(model: type[models.Model]) -> FileSchema:
    return next(schema for schema in all_schemas() if schema.model is model)


def _prepaid(values: Values, row: Row) -> Row:
    """Return some orders so that they ask for a coupon and were paid before they were placed."""
    if "use_coupon" not in row or not values.chance(0.3):
        return row
    placed = values.mark()
    return {**row, "use_coupon": "1", "placed_at": _written(placed), "paid_at": _written(placed - timedelta(hours=1))}


def new_cell(values: Values, schema: FileSchema, column: Column, rows: Facts, *, number: int) -> str | None:
    """Return a cell for the column; None where no row exists that it could refer to."""
    if column in schema.references:
        return _reference(values, schema, column, rows)
    field = schema.field(column)
    if schema.key == (column.name,):
        return f"{schema.name[:2].title()}{number}"
    if isinstance(field, models.DateTimeField):
        return "" if field.null and values.chance(_absent(column.name)) else _written(values.instant())
    if not column.required and not isinstance(field, models.BooleanField) and values.chance(0.15):
        return ""
    if named := NAMED_IN_DEFINITIONS.get((schema.name, column.name)):
        return values.rng.choice(named)
    parse = column.parser(schema.model, UTC, repeats=False)
    cells = (_drawn(values, column, field) for _ in range(MOST_DRAWS))
    return next((cell for cell in cells if _is_accepted(parse, cell)), "1")


def _reference(values: Values, schema: FileSchema, column: Column, rows: Facts) -> str | None:
    """Return the key of a row that is there; empty where none need be named, None where none is there to be named."""
    keys = [key[0] for key in rows.get(_file_of(schema.references[column]).name, {})]
    if not schema.is_required(column) and (not keys or values.chance(0.2)):
        return ""
    return values.rng.choice(keys) if keys else None


def _drawn(values: Values, column: Column, field: "models.Field[Any, Any]") -> str:
    kinds = {models.BooleanField: "flag", models.DecimalField: "money", models.IntegerField: "number"}
    kind = next((kind for model, kind in kinds.items() if isinstance(field, model)), "text")
    cell = values.value(column.name, kind, tuple((str(value), label) for value, label in field.flatchoices if value))
    return {"yes": "1", "no": "0"}.get(cell, cell) if kind == "flag" else cell


def _is_accepted(parse: CellParser, cell: str) -> bool:
    try:
        parse(cell)
    except CellError:
        return False
    return True


def _absent(name: str) -> float:
    """Return how often an event has not happened: few rows are cancelled."""
    return 0.7 if name in ("cancelled_at", "abnormal_at", "ends_at") else 0.2


def ask_for_coupons(values: Values, orders: dict[tuple[str, ...], Row]) -> None:
    """Let most freight orders ask for a coupon, in its currency."""
    for key, row in orders.items():
        if values.chance(0.8):
            orders[key] = row | {"use_coupon": "1", "currency": "CNY"}


def corrected(values: Values, schema: FileSchema, rows: Facts, row: Row, words: set[str]) -> Row:
    """Return the row with one or two columns changed, never its key.

    Owners, parents and the columns that the definition names in its `words` come first.
    """
    changed = dict(row)
    columns = [column for column in schema.columns if column.name not in schema.key]
    owners = [column for column in columns if column in schema.references and values.chance(0.25)]
    named = [column for column in columns if column.name in words and values.chance(0.8)]
    among = owners or named or columns
    for column in values.rng.sample(among, min(len(among), values.rng.choice((1, 1, 2)))):
        changed[column.name] = new_cell(values, schema, column, rows, number=0) or ""
    for column in columns:
        if column.required and not changed[column.name]:
            changed[column.name] = row[column.name]
    return agreeing(values, schema, rows, consistent(changed)) or row


def consistent(row: Row) -> Row:
    """Return the row so that the rules between its columns hold: an end after its start, a receipt with an event."""
    row = dict(row)
    if row.get("ends_at") and row["ends_at"] <= row.get("starts_at", ""):
        row["ends_at"] = _written(datetime.fromisoformat(row["starts_at"]) + timedelta(days=1))
    if "booked_at" in row and not row["booked_at"] and not row["cancelled_at"]:
        row["booked_at"] = "2022-09-03T00:00:00Z"
    return row


def strange(values: Values, file: str, row: Row) -> Row:
    """Return the row with one cell that an import may refuse: far instants and sums, unknown words and owners."""
    columns = find_schema(file).columns
    column = values.rng.choice([column for column in columns if column.name not in find_schema(file).key])
    cells = (
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "999999999999.99",
        "-1.00",
        "nobody",
        "1970-01-01T00:00:00Z",
    )
    return {**row, column.name: values.rng.choice((*cells, "2199-12-31T23:59:59Z"))}


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
