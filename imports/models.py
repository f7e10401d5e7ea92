"""Imports: files, the batches they became, and the base class of every imported record."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ImportBatch(models.Model):
    """One taking-in of facts: a file, or a call. A fact names the batch that last changed it.

    `processed` is set once every offer has looked at the batch's rows, so that the next tick need not.
    """

    source = models.CharField(_("source"), max_length=200)
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    rows = models.BigIntegerField(_("rows"), default=0)
    added = models.BigIntegerField(_("new"), default=0)
    changed = models.BigIntegerField(_("changed"), default=0)
    future = models.BigIntegerField(_("dated in the future"), default=0)
    processed = models.BooleanField(_("processed"), default=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["id"], condition=Q(processed=False), name="batch_unprocessed")]
        constraints = [
            models.CheckConstraint(condition=Q(rows__gte=F("added") + F("changed")), name="batch_rows_add_up"),
        ]

    def __str__(self) -> str:
        return f"{self.source} #{self.pk}"


class ImportedRecord(models.Model):
    """What another system recorded."""

    batch = models.ForeignKey(ImportBatch, models.PROTECT, verbose_name=_("import"), related_name="+")

    class Meta:
        abstract = True


class Upload(models.Model):
    """A file that somebody sent: checked by a worker, then, when its sender has seen what it would do, taken.

    `rows` counts those read so far. `outcome` has the counts of the check and then of the taking, `complaints` the
    first that were found. Changed by `imports.upload_jobs` alone.
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
    batch = models.ForeignKey(ImportBatch, models.PROTECT, null=True, verbose_name=_("import"), related_name="+")
    asked_by = models.CharField(_("sent by"), max_length=150)
    asked_at = models.DateTimeField(_("sent at"))
    seen_at = models.DateTimeField(_("last step at"))

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.name
