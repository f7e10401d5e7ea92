"""Rows of every kind of subject in one form, as SQL made from the registry of facts: a new kind is checked like others.

Rows wait for a tick where their import, or that of a row on the way to a column, is not processed: they are left out.
"""

from collections.abc import Iterator

from django.db import models

from core.facts import COUPON_FEES, FEES, SUBJECTS, Collection, Fee
from imports.models import ImportBatch

NO_ROW = "SELECT '' AS kind, '' AS pk, '' AS merchant_id WHERE 1 = 0"
NO_INSTANT = "SELECT '' AS kind, '' AS fact, '' AS pk, claimed_at AS at FROM campaigns_grant WHERE 1 = 0"
NO_FEE = "SELECT '' AS fee, '' AS pk, 0.0 AS charged, 0 AS least WHERE 1 = 0"


def owners() -> str:
    """Return the statement of (kind, pk, merchant_id) of all subjects of merchants."""
    found = (_row(each, f"'{kind}' AS kind", each.merchant) for kind, each in SUBJECTS.items() if each.merchant)
    return _union(NO_ROW, found)


def cancellations() -> str:
    """Return the statement of (kind, fact, pk, at) of all subjects that were cancelled, or the row they belong to."""
    found = (
        _row(each, f"'{kind}' AS kind, '{fact.name}' AS fact", each.column(fact.name))
        for kind, each in SUBJECTS.items()
        for fact in each.facts.values()
        if fact.name.rpartition(".")[2] == "cancelled_at" and not fact.derived
    )
    return _union(NO_INSTANT, found)


def charges() -> str:
    """Return the statement of (fee, pk, charged, least) of all fees that are columns; `least` is in cents."""
    return _union(NO_FEE, (_charge(fee) for fee in FEES.values() if fee.fact and not fee.rated))


def coupon_fees() -> str:
    """Return the statement of (fee, kind) of the fees that coupons reduce."""
    return " UNION ALL ".join(f"SELECT '{fee.name}' AS fee, '{kind}' AS kind" for kind, fee in COUPON_FEES.items())


def _union(first: str, others: Iterator[str]) -> str:
    return " UNION ALL ".join((first, *others))


def _charge(fee: Fee) -> str:
    row = _row(fee.collection, f"'{fee.name}' AS fee", fee.collection.column(fee.fact))
    return f"SELECT c.*, {int(fee.least * 100)} FROM ({row}) AS c"  # noqa: S608  own names


def _row(collection: Collection, named: str, path: str) -> str:
    """Return the statement of one kind: `named`, the key of the row, and the column at a path from it."""
    model: type[models.Model] = collection.model
    assert model._meta.pk is not None
    joins = [f"FROM {model._meta.db_table} t0", _processed("t0")]
    key = f"t0.{model._meta.pk.column}"
    *ways, name = path.split("__")
    for n, way in enumerate(ways):
        step = model._meta.get_field(way)
        assert isinstance(step, models.ForeignKey)
        model = step.related_model
        joins += [f"JOIN {model._meta.db_table} t{n + 1} ON t{n + 1}.{step.target_field.column} = t{n}.{step.column}"]
        joins += [_processed(f"t{n + 1}")]
    column = f"t{len(ways)}.{_field(model, name).column}"
    return f"SELECT {named}, {key}, {column} {' '.join(joins)}"


def _field(model: type[models.Model], attname: str) -> "models.Field[object, object]":
    return next(field for field in model._meta.concrete_fields if attname in (field.name, field.attname))


def _processed(alias: str) -> str:
    batch = f"{alias}_batch"
    return f"JOIN {ImportBatch._meta.db_table} {batch} ON {batch}.id = {alias}.batch_id AND {batch}.processed"
