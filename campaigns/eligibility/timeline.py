"""Timeline of a subject: the instants that its grant depends on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubjectTimeline:
    """Instants of a subject's life that matter to its grant; None for what has not happened, as far as is known.

    `requirements_met` says whether the requirements of settlement held at `settles_at`.
    """

    claimed_at: datetime
    locked_at: datetime | None = None
    settles_at: datetime | None = None
    fulfilled_at: datetime | None = None
    requirements_met: bool = True
    released_at: datetime | None = None
    revoked_at: datetime | None = None
