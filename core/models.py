"""Stored state of the clock of a demonstration."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

DEMO_START = datetime(2022, 9, 20, 9, tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(UTC)
"""First instant of a demonstration: in the middle of the September festival."""


class DemoClock(models.Model):
    """Clock of a demonstration, one row: the instant it was set to and, while it runs, the real instant it runs from.

    Only `core.clock` changes it: it must never move backwards.
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
        """Return the business instant at the instant `real` of the host's clock.

        If the host's clock jumps back, this one goes back no further than to the instant it was set to.
        """
        if self.running_since is None:
            return self.instant
        return self.instant + max(real - self.running_since, timedelta(0))
