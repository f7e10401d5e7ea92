"""Registry of file schemas: each app of facts registers its own in its module `import_schemas`.

Importers, exports, the admin, the REST API and the documentation follow from a registration; nothing else is needed.
"""

from django.utils.module_loading import autodiscover_modules

from imports.schema import FileSchema

_SCHEMAS: dict[str, FileSchema] = {}


def register(*schemas: FileSchema) -> None:
    """Add schemas; an app calls this at the end of its `import_schemas` module. Raises ValueError for a taken name."""
    for schema in schemas:
        if _SCHEMAS.get(schema.name, schema) is not schema:
            raise ValueError(f"two file schemas are named {schema.name!r}")
        _SCHEMAS[schema.name] = schema


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
