"""Limits on what a person or a network may cause in a time, such as mail to others. Counted in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from identity.models import RateCount


@dataclass(frozen=True)
class RateLimit:
    """At most `most` events of one person, address or network within `window`, which starts with its first event."""

    name: str
    most: int
    window: timedelta

    def allows(self, of: str, *, at: datetime) -> bool:
        """Count an event of `of` at an instant of the host's clock. Return True if it is within the limit."""
        return self._count(of, at=at) <= self.most

    @transaction.atomic
    def _count(self, of: str, *, at: datetime) -> int:
        # The digest keeps addresses out of the table, and the key short.
        key = f"{self.name} {sha256(of.encode(errors='surrogatepass')).hexdigest()}"
        defaults = {"ends_at": at + self.window}
        row, _ = RateCount.objects.select_for_update().get_or_create(key=key, defaults=defaults)
        if row.ends_at <= at:
            row.ends_at, row.count = at + self.window, 0
        row.count += 1
        row.save()
        return row.count


def delete_expired(*, at: datetime) -> int:
    """Delete counts whose window has ended; return how many."""
    return RateCount.objects.filter(ends_at__lte=at).delete()[0]
