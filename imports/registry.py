"""Registry of file schemas: each app of facts registers its own, and every importer reads them from here."""

from imports.schema import FileSchema

_SCHEMAS: dict[str, FileSchema] = {}


def register(*schemas: FileSchema) -> None:
    """Add schemas; an app calls this at the end of its `import_schemas` module. Raises ValueError for a taken name."""
    for schema in schemas:
        if _SCHEMAS.get(schema.name, schema) is not schema:
            raise ValueError(f"two file schemas are named {schema.name!r}")
        _SCHEMAS[schema.name] = schema


def all_schemas() -> tuple[FileSchema, ...]:
    """Every registered schema, each after those whose rows it refers to."""
    ordered: list[FileSchema] = []
    waiting = list(_SCHEMAS.values())
    while waiting:
        models = {schema.model for schema in waiting}
        ready = [s for s in waiting if not (set(s.references.values()) & models - {s.model})]
        ordered += ready
        waiting = [schema for schema in waiting if schema not in ready]
    return tuple(ordered)
