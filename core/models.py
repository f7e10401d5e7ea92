"""The movable clock of a demonstration."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

DEMO_START = datetime(2022, 9, 20, 9, tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(UTC)
"""Where a demonstration begins: in the middle of the September festival."""


class DemoClock(models.Model):
    """One row: the business instant it was set to and, while it runs, the real instant from which it counts on.

    Change it through `core.clock` only: it must never move backwards.
    """

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    instant = models.DateTimeField(_("business instant"), default=DEMO_START)
    running_since = models.DateTimeField(_("running since"), null=True, blank=True)

    class Meta:
        verbose_name = _("demonstration clock")
        verbose_name_plural = _("demonstration clock")
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="demo_clock_single"),)

    def __str__(self) -> str:
        return self.instant.isoformat()

    def reading(self, *, real: datetime) -> datetime:
        """What the clock shows at the real instant `real`. A host clock that jumps back does not turn it back further
        than to where it was set."""
        if self.running_since is None:
            return self.instant
        return self.instant + max(real - self.running_since, timedelta(0))
