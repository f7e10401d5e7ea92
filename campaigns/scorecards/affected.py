"""Subjects whose ratings may change because facts were told late, or corrected."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from campaigns.eligibility.changed_facts import (
    Keys,
    changed_keys,
    changes_of_references,
    former_parents,
    holders_of_changed,
    keys_of,
    merchants_of_changed,
    union,
)
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.named_facts import compared, counted, is_of_merchant, rated, states
from core.db.key_set import KeySet, materialize
from core.facts import COLLECTIONS, MERCHANT, STATES
from definitions.scorecards.scoring import Scorer
from merchants.models import Merchant, ReferenceValue
from ratings.models import Rating
from rules.conditions import Condition, reference_lists


def affected(scorer: Scorer, *, at: datetime, batches: tuple[int, ...]) -> KeySet | None:
    """Return the subjects that the batches concern, None for all. Call it in a transaction.

    A reference list has no rows of its own: any subject may hold a value that is new in it.
    """
    if not batches:
        return KeySet()
    lists = reference_lists(scorer.terms) | reference_lists(tuple(scorer.measures.values()))
    if ReferenceValue.objects.filter(batch__in=batches, list_code__in=lists).exists():
        return None
    changes = Changes(since=None, until=at, batches=batches)
    holders = list(_subjects_of_holders(scorer, changes))
    return materialize(union([*_own(scorer, changes), *holders]), name="rated_again")


def _conditions(scorer: Scorer) -> tuple[Condition, ...]:
    return (*scorer.terms.conditions, *scorer.conditions)


def _own(scorer: Scorer, changes: Changes) -> Iterator[Keys]:
    """Yield the subjects of which the row itself changed, a row that belongs to it, or one to which it points."""
    collection = scorer.terms.collection
    yield from changed_keys(collection.model, "pk", changes)
    yield from former_parents(collection.model, changes)
    for child in collection.children:
        yield from changed_keys(child.model, child.parent, changes)
    names = {*compared(_conditions(scorer)), *scorer.facts}
    for q in changes_of_references(collection, names, changes):
        yield keys_of(collection.model, "pk", q)


def _subjects_of_holders(scorer: Scorer, changes: Changes) -> Iterator[Keys]:
    """Yield the subjects whose merchant, or who themselves as holders of rows, had a change."""
    collection = scorer.terms.collection
    for holder, parts in _holders(scorer, changes):
        if holder == scorer.terms.holder:
            yield from parts
        elif parts := list(parts):
            changed = materialize(union(parts), name=f"rated_{holder}")
            yield keys_of(collection.model, "pk", changed.contains(collection.holder_path(holder)))


def _holders(scorer: Scorer, changes: Changes) -> Iterator[tuple[str, Iterable[Keys]]]:
    """Yield holders by name, with the keys of those of whom a row changed that conditions and measures read."""
    conditions = _conditions(scorer)
    of_merchant: list[Keys] = []
    if any(map(is_of_merchant, compared(conditions))):
        of_merchant += changed_keys(Merchant, "code", changes)
    for name in sorted(set(states(conditions))):
        of_merchant += changed_keys(STATES[name].model, "merchant_id", changes)
    for name, facts in counted(conditions):
        of_merchant += merchants_of_changed(COLLECTIONS[name], facts, changes)
    yield MERCHANT, of_merchant
    for condition in rated(conditions):
        again = Q(batch__in=changes.batches, scorecard=condition.rating)
        yield condition.by, [keys_of(Rating, "subject", again)]
    for measure in scorer.measures.values():
        for part in measure.rows():
            yield part.by[0], holders_of_changed(part.collection, part.by[0], set(part.facts()), changes)
