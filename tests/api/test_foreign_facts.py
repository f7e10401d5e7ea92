"""Facts of every kind: a merchant's key reads those of its merchant, and finds no others."""

from datetime import UTC, datetime
from random import Random

import pytest

from imports.json_rows import JsonOptions, Mode, import_json_rows
from imports.registry import all_schemas
from imports.schema import FileSchema
from tests.support.programs import Program, program
from tests.worlds import facts
from tests.worlds.facts import Facts
from tests.worlds.values import Values
from tests.worlds.world import Row

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="which rows a key may see, not SQL")]


def recorded() -> Facts:
    """Record several rows of every kind, of two or three merchants, and return them by file."""
    schemas = all_schemas()
    rows = facts.facts(Values(Random(5)), [schema.name for schema in schemas])
    options = JsonOptions(name="test", now=datetime(2022, 9, 1, tzinfo=UTC), mode=Mode.REPLACE)
    for schema in schemas:
        rows[schema.name] = {
            key: row
            for key, row in rows[schema.name].items()
            if not import_json_rows(schema, [row], options, on_error=lambda _error: None).errors
        }
    return rows


def owner(rows: Facts, schema: FileSchema, row: Row) -> str:
    """Return the merchant of a row, from its cells or those of the row that it belongs to; empty for none."""
    if "merchant_code" in row:
        return row["merchant_code"]
    for column, parent in schema.references.items():
        other = next(each for each in all_schemas() if each.model is parent)
        if column in schema.owners or column.name in schema.key:
            found = owner(rows, other, rows[other.name][(row[column.name],)])
            if found:
                return found
    return ""


def test_a_merchants_key_reads_the_facts_of_its_merchant_and_no_others(platform: Program) -> None:
    rows = recorded()
    code = next(iter(rows["merchants"]))[0]
    own, shared = program("read", of=code), program("read")
    several = 0
    for schema in all_schemas():
        owners = {key: owner(rows, schema, row) for key, row in rows[schema.name].items()}
        mine = {key for key, merchant in owners.items() if merchant == code}
        several += bool(mine) and len(mine) < len(owners)
        if schema.public:
            continue
        found = [tuple(str(row["fact"][name]) for name in schema.key) for row in own.list(f"facts/{schema.name}/")]
        assert len(found) == len(mine), schema.name
        for (key, *more), merchant in owners.items():
            if not more:
                status = own.get(f"facts/{schema.name}/{key}/").status
                assert (status == 200) == (merchant == code), (schema.name, key, merchant)
                assert shared.get(f"facts/{schema.name}/{key}/").status == 200
    assert several > 12, "most kinds have rows of several merchants"
