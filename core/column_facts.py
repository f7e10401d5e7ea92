"""Facts that are columns of a model, with the type, label and choices of the column."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models

from core.db.fields import NumberField
from core.facts import Fact, Label, column_choices

KINDS = {
    models.DateTimeField: "instant",
    NumberField: "number",
    models.DecimalField: "money",
    models.BooleanField: "flag",
    models.PositiveIntegerField: "number",
    models.PositiveSmallIntegerField: "number",
}


def column_facts(
    model: type[models.Model],
    names: str,
    *,
    prefix: str = "",
    events: Mapping[str, Label] | None = None,
    due: Mapping[str, Label] | None = None,
    codes: Mapping[str, str] | None = None,
    names_of: Mapping[str, Mapping[str, Label]] | None = None,
    stated: Mapping[str, tuple[Label, Label]] | None = None,
) -> Iterator[Fact]:
    """Yield a fact for each column in `names`, with the label and choices of the model.

    A column whose name ends in `_usd` is an amount in USD. `events` says what happens at an instant: "shipped".
    `due` says what somebody does for it: "ship". `codes` says which texts are codes of a standard: {"destination":
    "country"}, `names_of` how known values are called. `stated` says how a flag reads, set and not set.
    """
    for name in names.split():
        column = _column(model, name)
        choices = column_choices(model, name)
        yield Fact(
            name=prefix + name,
            kind="choice" if choices else _kind(column),
            label=column.verbose_name or name,
            choices=choices,
            currency="USD" if name.endswith("_usd") else "",
            event=(events or {}).get(name, ""),
            due=(due or {}).get(name, ""),
            codes=(codes or {}).get(name, ""),
            names=(names_of or {}).get(name, {}),
            stated=(stated or {}).get(name),
            decimals=column.decimal_places if isinstance(column, NumberField) else 0,
        )


def _column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    column = model._meta.get_field(name)
    assert isinstance(column, models.Field)
    return column


def _kind(column: "models.Field[Any, Any]") -> str:
    return next((kind for type_, kind in KINDS.items() if isinstance(column, type_)), "text")
