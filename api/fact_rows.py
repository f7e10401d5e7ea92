"""Recorded facts as answers: which rows a key may see, and the values of a row by the column names of its file."""

from typing import Any

from django.db.models import Model, QuerySet

from api.serializers.fields import plain_value
from core.facts import ATTRIBUTES
from imports.registry import all_schemas
from imports.schema import FileSchema
from merchants.models import Merchant


def merchant_path(schema: FileSchema) -> str | None:
    """Return the lookup path from a row of facts to its merchant; None for facts of no merchant."""
    if schema.model is Merchant:
        return "pk"
    for column, parent in schema.references.items():
        path = schema.field(column).name
        if parent is Merchant:
            return path
        parent_schema = next((each for each in all_schemas() if each.model is parent), None)
        inner = merchant_path(parent_schema) if parent_schema and parent is not schema.model else None
        if inner is not None:
            return f"{path}__{inner}"
    return None


def visible(schema: FileSchema, merchants: Any, *, of_platform: bool) -> QuerySet[Model]:
    """Return the rows of the `merchants`, a query of their codes.

    Facts of no merchant are for keys of the platform, and for all others where they are public.
    """
    rows = schema.model._default_manager.all()
    path = merchant_path(schema)
    if path is None:
        return rows if of_platform or schema.public else rows.none()
    return rows.filter(**{f"{path}__in": merchants})


def of_merchant(schema: FileSchema, rows: QuerySet[Model], code: str) -> QuerySet[Model]:
    """Return those of the rows that belong to the merchant; none of facts that belong to no merchant."""
    path = merchant_path(schema)
    return rows.none() if path is None else rows.filter(**{path: code})


def as_json(schema: FileSchema, row: Model) -> dict[str, Any]:
    """Return a row as a `FactSerializer` declares it."""
    values = {column.name: plain_value(getattr(row, column.attname)) for column in schema.own_columns}
    if schema.row_kind:
        values[ATTRIBUTES] = {one.name: plain_value(one.read(getattr(row, ATTRIBUTES))) for one in schema.attributes}
    return {"kind": schema.name, "fact": values}
