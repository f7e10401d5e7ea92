"""Due dates: by when a merchant must do what, in words, and how many days are left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.offers import schedule
from campaigns.offers.schedule import Deadline
from core.formatting import format_number
from definitions.offer_terms import OfferTerms
from rules.time_windows import Bound

SOON_DAYS = 14
"""From this many days on a due date is marked as urgent."""


@dataclass(frozen=True)
class Due:
    """Date by which something must be done, seen from the instant `at`."""

    acts: str
    bound: Bound
    at: datetime

    @property
    def label(self) -> str:
        """The words before the date: `Pay by`."""
        return capfirst(_("%(acts)s by") % {"acts": self.acts})

    @property
    def days(self) -> int:
        """Days left on the reader's calendar: 0 on the day itself."""
        return days_between(self.at, self.bound.instant)

    @property
    def left(self) -> str:
        """The days left in words."""
        return describe_days(self.days)

    @property
    def is_soon(self) -> bool:
        return self.days <= SOON_DAYS

    @property
    def is_past(self) -> bool:
        return self.at >= self.bound.after


def days_between(start: datetime, end: datetime) -> int:
    """Return the days from one instant to another on the reader's calendar."""
    return (timezone.localtime(end).date() - timezone.localtime(start).date()).days


def describe_days(days: int) -> str:
    """Return `10 days left`, or `today`."""
    if days <= 0:
        return _("today")
    return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": format_number(days)}


def upcoming(terms: OfferTerms, *, at: datetime) -> Iterator[Due]:
    """Yield the due dates of an offer that are not past at `at`, the first one first."""
    dues = (Due(acts(deadline), deadline.bound, at) for deadline in schedule.deadlines(terms))
    return (due for due in dues if not due.is_past)


def acts(deadline: Deadline) -> str:
    """Return what must be done by a deadline: `place the order and pay`."""
    if not deadline.facts:
        return _("receive payments")
    words = list(dict.fromkeys(str(fact.due or fact.event or fact.label) for fact in deadline.facts))
    joined = _("%(first)s or %(then)s") if deadline.alternatives else _("%(first)s and %(then)s")
    return reduce(lambda first, then: joined % {"first": first, "then": then}, words)
