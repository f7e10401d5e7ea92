"""Columns of facts in the OpenAPI schema: the type of each, as a request may write it and as a response has it."""

from typing import Any

from django.db import models

from core.facts import ATTRIBUTES
from imports.columns import Column
from imports.schema import FileSchema

DECLARED = {
    "type": "object",
    "description": "Values of the attributes that published definitions declare, by name; null empties one.",
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "examples": [{"cord_cm": "30.5", "biocide_type": "disinfectant"}],
}


def json_schema(schema: FileSchema) -> dict[str, Any]:
    """Return the JSON Schema of a row of facts."""
    needed = ", ".join(column.name for column in schema.columns if schema.is_required(column))
    properties = {column.name: _column(schema, column) for column in schema.columns}
    if schema.row_kind:
        properties[ATTRIBUTES] = DECLARED
    return {
        "type": "object",
        "description": f"A row of {schema.name}, with the column names of its file. A new one needs: {needed}.",
        "properties": properties,
        "required": list(schema.key),
        "additionalProperties": False,
    }


def _column(schema: FileSchema, column: Column) -> dict[str, Any]:
    field = schema.field(column)
    return {**_type(field), "description": str(field.verbose_name)}


def _type(field: "models.Field[Any, Any]") -> dict[str, Any]:
    """Return the type of a column. A request may write a text as a number, and a flag or an amount as text."""
    match field:
        case models.DateTimeField():
            return {"type": ["string", "null"], "format": "date-time"}
        case models.DecimalField():
            return {"type": ["string", "number", "null"], "examples": ["1000.00"]}
        case models.BooleanField():
            return {"type": ["boolean", "string", "integer", "null"]}
        case models.IntegerField():
            return {"type": ["integer", "string", "null"], "minimum": 0}
    if choices := [value for value, _label in field.flatchoices if value]:
        return {"type": ["string", "null"], "enum": [*choices, "", None]}
    return {"type": ["string", "number", "boolean", "null"]}
