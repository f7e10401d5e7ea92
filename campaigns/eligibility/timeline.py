"""The instants of a subject that its grant depends on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubjectTimeline:
    """What happened to a subject, as far as it matters to its grant. `fit`: the requirements held at `settles_at`."""

    claimed_at: datetime
    locked_at: datetime | None = None
    settles_at: datetime | None = None
    fulfilled_at: datetime | None = None
    fit: bool = True
    released_at: datetime | None = None
    revoked_at: datetime | None = None
