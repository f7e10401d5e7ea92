"""Rows that new facts concern: those that changed, and those that a changed row belongs to or is pointed to by.

Each function returns keys, or filters, that an index on the import batch or on an instant serves. All return supersets.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet

from campaigns.eligibility.changes import Changes
from core.facts import Collection
from imports.models import FormerParent
from merchants.models import Merchant

Keys = QuerySet[Model, str]


def union(parts: list[Keys]) -> Keys:
    """Return the keys of all parts; a key may repeat."""
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def keys_of(model: type[Model], key: str, q: Q) -> Keys:
    """Return the values of column `key` in the rows that `q` selects."""
    return model._default_manager.order_by().filter(q).values_list(key, flat=True)


def changed_keys(model: type[Model], key: str, changes: Changes) -> list[Keys]:
    """Return the values of column `key` in the rows that changed."""
    return [keys_of(model, key, Q(batch__in=changes.batches))] if changes.batches else []


def former_parents(parent: type[Model], changes: Changes) -> list[Keys]:
    """Return the rows of `parent` to which a changed row belonged before."""
    if not changes.batches:
        return []
    former = FormerParent.objects.order_by().filter(batch__in=changes.batches, parent=parent._meta.db_table)
    return [former.values_list("key", flat=True)]


def new_instants(collection: Collection, names: Iterable[str], changes: Changes, lag: timedelta) -> Iterator[Q]:
    """Yield filters of the rows for which an instant fact is new."""
    for name in names:
        derived, reference = collection.facts[name].derived, collection.reference_of(name)
        if derived is None:
            yield from changes.instants([collection.column(name)], lag=lag)
            continue
        assert derived.child is not None
        key = reference.column if reference else "pk"
        for q in changes.instants([derived.instant], lag=lag):
            yield Q(**{f"{key}__in": keys_of(derived.child.model, derived.child.parent, q)})


def changes_of_references(collection: Collection, names: Iterable[str], changes: Changes) -> Iterator[Q]:
    """Yield filters of the rows that point to a changed row.

    Such a row counts if it is on the way to the merchant, or if one of `names` is a fact of it.
    """
    if not changes.batches:
        return
    used = {reference.name for name in names if (reference := collection.reference_of(name))}
    for reference in collection.references:
        way = f"{reference.column.removesuffix('_id')}__"
        if reference.name in used or collection.merchant.startswith(way):
            yield Q(**{reference.path("batch__in"): changes.batches})
            for part in _of_children(reference.collection, changes):
                yield Q(**{f"{reference.column}__in": part})


def _of_children(collection: Collection, changes: Changes) -> list[Keys]:
    """Return the rows of the collection of which a child changed, or left for another row."""
    if not collection.children:
        return []
    changed = [part for child in collection.children for part in changed_keys(child.model, child.parent, changes)]
    return changed + former_parents(collection.model, changes)


def merchants_of_changed(collection: Collection, names: Iterable[str], changes: Changes) -> list[Keys]:
    """Return the merchants of whom a row of the collection, a child of one, or a row to which one points changed."""
    parts = changed_keys(collection.model, collection.merchant, changes) + former_parents(Merchant, changes)
    for q in changes_of_references(collection, names, changes):
        parts.append(keys_of(collection.model, collection.merchant, q))
    for part in _of_children(collection, changes):
        parts.append(keys_of(collection.model, collection.merchant, Q(pk__in=part)))
    return parts + _former_merchants(collection, changes)


def holders_of_changed(collection: Collection, holder: str, names: Iterable[str], changes: Changes) -> list[Keys]:
    """Return the keys of a holder, such as the buyer, of whom a row of the collection changed or left for another."""
    path = collection.holder_path(holder)
    parts = merchants_of_changed(replace(collection, merchant=path), names, changes)
    owner = _model_at(collection.model, path)
    return parts if owner is None else parts + former_parents(owner, changes)


def _model_at(model: type[Model], path: str) -> type[Model] | None:
    """Return the model to whose rows a path points, None for the key of the row itself."""
    found: Any = None
    for name in path.removesuffix("_id").split("__") if path.endswith("_id") else ():
        found = (found or model)._meta.get_field(name).related_model
    return found  # type: ignore[no-any-return]  # a model


def _former_merchants(collection: Collection, changes: Changes) -> list[Keys]:
    """Return the merchants of the rows by way of which a changed row belonged to its merchant before."""
    parts: list[Keys] = []
    for reference in collection.references:
        way = f"{reference.column.removesuffix('_id')}__"
        if collection.merchant.startswith(way) and reference.collection.merchant:
            for former in former_parents(reference.collection.model, changes):
                model, merchant = reference.collection.model, reference.collection.merchant
                parts.append(keys_of(model, merchant, Q(pk__in=former)))
    return parts
