"""What the engine did, tick by tick."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """One tick: brought everything up to the instant `at`. A run without `finished_at` was cut off or is under way.

    `left_out` names the steps that were set aside (campaigns.steps), and those that wait for one of them.
    """

    at = models.DateTimeField(_("as of"))
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)
    decided = models.BigIntegerField(_("claims decided"), default=0)
    moved = models.BigIntegerField(_("grants moved"), default=0)
    issued = models.BigIntegerField(_("coupons issued"), default=0)
    left_out = models.CharField(_("left out"), max_length=2000, blank=True, db_default="")

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"#{self.pk} {self.at:%Y-%m-%d %H:%M:%S}Z"
