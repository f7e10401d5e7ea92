"""Files that are checked and taken in the background."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models.facts import Batch


class Upload(models.Model):
    """A file that somebody sent: checked by a worker, then, when its sender has seen what it would do, taken.

    `rows` counts those read so far. `outcome` has the counts of the check and then of the taking, `complaints` the
    first that were found. Changed by `merchants.intake.background` alone.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting to be checked")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked")
        CONFIRMED = "confirmed", _("waiting to be taken")
        TAKING = "taking", _("being taken")
        TAKEN = "taken", _("taken")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("kind of facts"), max_length=40)
    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("contents"))
    size = models.BigIntegerField(_("bytes"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    rows = models.BigIntegerField(_("rows"), default=0)
    outcome: "models.JSONField[Any, Any]" = models.JSONField(_("outcome"), default=dict)
    complaints: "models.JSONField[list[str], list[str]]" = models.JSONField(_("complaints"), default=list)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, verbose_name=_("import"), related_name="+")
    asked_by = models.CharField(_("sent by"), max_length=150)
    asked_at = models.DateTimeField(_("sent at"))
    seen_at = models.DateTimeField(_("last step at"))

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.name
