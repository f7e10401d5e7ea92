"""Stored state of the clock of a demonstration, and saved views of lists."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
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


class SavedView(models.Model):
    """Filters, order and columns of a list under a name: for its owner, or shared with everyone who sees the list."""

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="+")
    list_name = models.CharField(_("list"), max_length=100)  # label of the model, such as `campaigns.grant`
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("address"), max_length=2_000)  # query string without `?`
    is_shared = models.BooleanField(_("shared with everyone"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = (models.UniqueConstraint(fields=["owner", "list_name", "name"], name="saved_view_once"),)

    def __str__(self) -> str:
        return self.name
