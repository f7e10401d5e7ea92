"""Registry of file schemas: each app of facts registers its own in its module `import_schemas`.

Importers, exports, the admin, the REST API and the documentation follow from a registration; nothing else is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from imports.schema import Check, FileSchema

Values = Callable[[], "QuerySet[Any, Any]"]


@dataclass(frozen=True)
class KnownValues:
    """Values that a column may name and that no file of facts holds, such as the codes of offers.

    `kind` is the noun for one of them. Each of `values` returns a query of some of them.
    """

    column: str
    kind: str | Promise
    values: tuple[Values, ...]


_SCHEMAS: dict[str, FileSchema] = {}
_KNOWN: dict[tuple[str, str], KnownValues] = {}


def register(*schemas: FileSchema) -> None:
    """Add schemas; an app calls this at the end of its `import_schemas` module. Raises ValueError for a taken name."""
    for schema in schemas:
        if _SCHEMAS.get(schema.name, schema) is not schema:
            raise ValueError(f"two file schemas are named {schema.name!r}")
        _SCHEMAS[schema.name] = schema


def register_known_values(schema: str, column: str, kind: str | Promise, values: Values) -> None:
    """Let a column of a file name the values of a query, besides those registered before; any other is an error."""
    before = _KNOWN.get((schema, column))
    _KNOWN[schema, column] = KnownValues(column, kind, (*(before.values if before else ()), values))


def known_values(schema: FileSchema) -> list[KnownValues]:
    """Return what is known of the columns of a file that may name registered values alone."""
    return [known for (name, _column), known in _KNOWN.items() if name == schema.name]


Checks = Callable[[], Sequence[Check]]
_CHECKS: dict[str, list[Checks]] = {}


def register_checks(schema: str, checks: Checks) -> None:
    """Add checks of the rows of a file that depend on what is published: they are made anew for each import."""
    _CHECKS.setdefault(schema, []).append(checks)


def with_published_checks(schema: FileSchema) -> FileSchema:
    """Return the schema with the checks of its rows that depend on what is published now."""
    added = tuple(check for checks in _CHECKS.get(schema.name, ()) for check in checks())
    return replace(schema, checks=(*schema.checks, *added)) if added else schema


def autodiscover() -> None:
    """Import the module `import_schemas` of every app."""
    autodiscover_modules("import_schemas")


def find_schema(name: str) -> FileSchema:
    """Return the schema with that name. Raises KeyError."""
    return _SCHEMAS[name]


def all_schemas() -> tuple[FileSchema, ...]:
    """Return every registered schema, each after those whose rows it refers to."""
    ordered: list[FileSchema] = []
    waiting = list(_SCHEMAS.values())
    while waiting:
        models = {schema.model for schema in waiting}
        ready = [s for s in waiting if not (set(s.references.values()) & models - {s.model})]
        ordered += ready
        waiting = [schema for schema in waiting if schema not in ready]
    return tuple(ordered)
