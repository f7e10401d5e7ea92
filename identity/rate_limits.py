"""Limits on what a person or a network may do in a time, such as guess passwords. Counted in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import F

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

    def is_exceeded(self, of: str, *, at: datetime) -> bool:
        """Return True if an event of `of` was refused within the current window. Count nothing."""
        return RateCount.objects.filter(key=self._key(of), ends_at__gt=at, count__gt=self.most).exists()

    def forgive(self, of: str) -> None:
        """Forget the latest event of `of`: it should not have counted."""
        RateCount.objects.filter(key=self._key(of), count__gt=0).update(count=F("count") - 1)

    def reset(self, of: str) -> None:
        """Forget the events of `of`."""
        # The row stays: an event that is counted at the same time would fail if its row came and went meanwhile.
        RateCount.objects.filter(key=self._key(of)).update(count=0)

    def _key(self, of: str) -> str:
        # The digest keeps addresses, and passwords typed as names, out of the table, and the key short.
        return f"{self.name} {sha256(of.encode(errors='surrogatepass')).hexdigest()}"

    @transaction.atomic
    def _count(self, of: str, *, at: datetime) -> int:
        defaults = {"ends_at": at + self.window}
        row, _ = RateCount.objects.select_for_update().get_or_create(key=self._key(of), defaults=defaults)
        if row.ends_at <= at:
            row.ends_at, row.count = at + self.window, 0
        row.count += 1
        row.save()
        return row.count


def delete_expired(*, at: datetime) -> int:
    """Delete counts whose window has ended; return how many."""
    return RateCount.objects.filter(ends_at__lte=at).delete()[0]
