"""Exceptions of a step of the tick: subjects and merchants in quarantine, and those that have just left it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from core.facts import Collection


@dataclass(frozen=True)
class Held:
    """Exceptions of one step, by key.

    `subjects` are not decided, those in `unfollowed` not followed either; `merchants` are left out with all their
    subjects. Freight orders of `waiting` that ask for a coupon wait until it is known whether they get one;
    `all_wait`: those of every merchant. `again` are subjects that left quarantine, `merchants_again` merchants, with
    the instant up to which they were processed before.
    """

    subjects: frozenset[str] = frozenset()
    unfollowed: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    all_wait: bool = False
    again: frozenset[str] = frozenset()
    merchants_again: Mapping[str, datetime | None] = field(default_factory=dict)

    def decidable(self, collection: Collection) -> Q:
        """Return the condition of subjects that are not held back; empty if there are none."""
        held = Q(pk__in=self.subjects) if self.subjects else Q()
        if self.merchants:
            held |= Q(**{f"{collection.merchant}__in": self.merchants})
        if self.all_wait:
            held |= Q(use_coupon=True)
        elif self.waiting:
            held |= Q(**{f"{collection.merchant}__in": self.waiting}, use_coupon=True)
        return ~held if held else held


NOTHING = Held()
