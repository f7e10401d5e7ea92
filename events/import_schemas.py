"""File of events."""

from datetime import tzinfo
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from declarations import store
from declarations.attributes import EVENT
from events.models import Event
from imports.cell_parsers import instant, key
from imports.columns import CellError, CellParser, Column
from imports.mapping_text import suggestion
from imports.registry import register
from imports.schema import FileSchema
from merchants.import_schemas import MERCHANT


def declared_kind(_field: "models.Field[Any, Any]", _zone: tzinfo | None) -> CellParser:
    """Return a parser of kinds of event: those that are declared now."""
    kinds = store.event_kinds()

    def parse(cell: str) -> str:
        if cell not in kinds:
            reason = _("is not a declared kind of event: publish the definition that declares it")
            raise CellError(reason + suggestion(cell, kinds))
        return cell

    return parse


register(
    FileSchema(
        "events",
        Event,
        (
            Column("event_no", key(), required=True),
            Column("kind", declared_kind, required=True),
            MERCHANT,
            Column("buyer_code", key()),
            Column("listing_no", key()),
            Column("order_no", key()),
            Column("at", instant(), required=True),
        ),
        key=("event_no",),
        row_kind=EVENT,
    )
)
