"""Inputs of ratings: one query for the subjects of a batch, and one for each measure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.db.models import DateTimeField, Q, Value

from definitions.scorecards.scoring import Inputs, Scorer
from rules.conditions import all_of
from rules.measure_queries import Among, numbers_of, to_decimal
from rules.query_row import as_boolean

BATCH = 10_000
"""Subjects that are read, scored and written at a time."""


@dataclass(frozen=True)
class Subject:
    """Subject with its merchant and its inputs."""

    key: str
    merchant: str
    inputs: Inputs


@dataclass(frozen=True)
class Batch:
    """Subjects in the order of their keys: those after `after`, up to `last`, or all that are left without `last`."""

    subjects: list[Subject]
    after: str
    last: str | None

    def contains(self, path: str) -> Q:
        """Return the filter of the rows whose key at `path` lies in the range of the batch."""
        upper = Q(**{f"{path}__lte": self.last}) if self.last is not None else Q()
        return Q(**{f"{path}__gt": self.after}) & upper


def anyone(_path: str) -> Q:
    """Return the filter of all holders."""
    return Q()


def meeting(only: Q) -> Among:
    """Return the filter of the holders that meet a condition on `pk`."""
    return lambda path: _moved(only, path)


def _moved(q: Q, path: str) -> Q:
    moved: list[Any] = []
    for part in q.children:
        if isinstance(part, Q):
            moved.append(_moved(part, path))
        else:
            name, value = cast("tuple[str, Any]", part)
            moved.append((name.replace("pk", path, 1), value))
    return Q(*moved, _connector=q.connector, _negated=q.negated)


def batches(
    scorer: Scorer, *, at: datetime, after: str = "", keys: Among | None = None, only: Among = anyone
) -> Iterator[Batch]:
    """Yield the subjects of a scorecard as of an instant, after a key, only those among `keys` if given."""
    while True:
        batch = read(scorer, at=at, after=after, keys=keys, only=only)
        yield batch
        if batch.last is None:
            return
        after = batch.last


def read(
    scorer: Scorer,
    *,
    at: datetime,
    after: str = "",
    keys: Among | None = None,
    only: Among = anyone,
    size: int = BATCH,
) -> Batch:
    """Return the next `size` subjects after a key, each with its inputs.

    Few are asked for by `keys`. Of holders that `only` leaves out nothing is read, neither their rows.
    """
    rows = _subjects(scorer, at, after, keys).filter(only("pk"))[:size]
    found = [(str(key), str(merchant), values) for key, merchant, *values in rows]
    batch = Batch([], after, found[-1][0] if len(found) == size else None)
    if not found:
        return batch
    among = _among(batch, [key for key, _merchant, _values in found] if keys is not None else None, only)
    metrics = {name: numbers_of(measure, at=at, among=among) for name, measure in scorer.measures.items()}
    empty = {name: _empty(measure) for name, measure in scorer.measures.items()}
    numbers = len(scorer.facts)
    for key, merchant, values in found:
        facts = (None if value is None else to_decimal(value) for value in values[:numbers])
        own = {name: of.get(key, empty[name]) for name, of in metrics.items()}
        inputs = Inputs(own, dict(zip(scorer.facts, facts, strict=True)), [bool(value) for value in values[numbers:]])
        batch.subjects.append(Subject(key, merchant, inputs))
    return batch


def _subjects(scorer: Scorer, at: datetime, after: str, keys: Among | None) -> Any:
    terms = scorer.terms
    row = terms.row
    rows = terms.collection.model._default_manager.filter(pk__gt=after)
    if keys is not None:
        rows = rows.filter(keys("pk"))
    rows = rows.annotate(seen_at=Value(at, output_field=DateTimeField())).filter(all_of(terms.conditions, row))
    columns = {f"fact_{n}": row.expression(name) for n, name in enumerate(scorer.facts)}
    columns |= {f"met_{n}": as_boolean(condition.q(row)) for n, condition in enumerate(scorer.conditions)}
    return rows.annotate(**columns).order_by("pk").values_list("pk", terms.collection.merchant, *columns)


def _among(batch: Batch, few: list[str] | None, only: Among) -> Among:
    """Return the filter of the holders: those of the batch, by name where they are few in a wide range."""
    return (
        (lambda path: Q(**{f"{path}__in": few})) if few is not None else lambda path: batch.contains(path) & only(path)
    )


def _empty(measure: Any) -> Decimal:
    return Decimal(measure.otherwise or 0)
