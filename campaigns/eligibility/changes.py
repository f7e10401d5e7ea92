"""Changes: the new instants and new facts that a tick, or a claim ahead of it, must process."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.eligibility.held import NOTHING, Held

NOTHING_CHOSEN: Mapping[str, int] = {}


@dataclass(frozen=True)
class SubjectSelection:
    """Subjects to be decided at once, ahead of the tick, and the merchants that own them.

    `chosen` are the coupons, by their keys, that a merchant chose for orders; `asked_at` is when a member asked for a
    coupon for the subjects, None where nobody did.
    """

    subjects: tuple[str, ...]
    merchants: tuple[str, ...]
    chosen: Mapping[str, int] = field(default_factory=lambda: NOTHING_CHOSEN)
    asked_at: datetime | None = None


@dataclass(frozen=True)
class Changes:
    """New work: instants after `since` up to and including `until`, and import batches not processed yet.

    Without `since` everything is new. `reevaluate_all` examines every subject although not all are new. `only` limits
    the work to some subjects, whatever is new of others. `held` are exceptions: what is left out, and what is examined
    although nothing of it is new. `guard` runs the work on many subjects.
    """

    since: datetime | None
    until: datetime
    batches: tuple[int, ...] = ()
    reevaluate_all: bool = False
    only: SubjectSelection | None = None
    held: Held = NOTHING
    guard: Guard = PLAIN

    @property
    def everything(self) -> bool:
        """True if every subject must be examined."""
        return self.only is None and (self.reevaluate_all or self.since is None)

    def instants(self, names: Iterable[str], *, lag: timedelta = timedelta(0)) -> Iterator[Q]:
        """Yield for each field of `names` the condition that its instant is new, or was new less than `lag` ago."""
        assert self.since is not None
        for name in sorted(set(names)):
            yield Q(**{f"{name}__gt": self.since - lag, f"{name}__lte": self.until})

    def passed(self, at: datetime | None) -> bool:
        """Return True if `at`, an instant of a definition, is new."""
        return at is not None and (self.since is None or self.since < at) and at <= self.until
