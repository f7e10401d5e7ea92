"""Imports: their batches, uploaded files, and the base class of every imported record."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField

USES = "at once: usages"
"""Source of the batches of uses that were decided in the transaction that recorded them."""


class ImportBatch(models.Model):
    """One import of facts, from a file or a call. Every imported record names the batch that last changed it.

    Written by `imports.importer`, except `processed`: the engine sets it when every offer has evaluated the records of
    the batch.
    """

    source = models.CharField(_("source"), max_length=200)  # name of the file, or "api: " and the kind of facts
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)  # of the file's bytes; empty for a call
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())  # business instant
    rows = models.BigIntegerField(_("rows"), default=0)
    added = models.BigIntegerField(_("new"), default=0)
    changed = models.BigIntegerField(_("changed"), default=0)
    future = models.BigIntegerField(_("dated in the future"), default=0)  # rows with an instant after recorded_at
    processed = models.BooleanField(_("processed"), default=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(fields=["id"], condition=Q(processed=False), name="batch_unprocessed"),
            models.Index(
                fields=["id"], condition=Q(processed=False) & ~Q(source=USES), name="batch_unprocessed_import"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(rows__gte=F("added") + F("changed")), name="batch_rows_add_up"),
        ]

    def __str__(self) -> str:
        return f"{self.source} #{self.pk}"


class FormerParent(models.Model):
    """Row to which a record belonged before an import changed that, such as the former merchant of an order.

    What rests on the former parent must be evaluated again too. `parent` is the name of its table.
    """

    batch = models.ForeignKey(ImportBatch, models.CASCADE, verbose_name=_("import"), related_name="former_parents")
    parent = models.CharField(_("table"), max_length=63)
    key = KeyField(_("key"), max_length=64)

    class Meta:
        verbose_name = _("former parent")
        verbose_name_plural = _("former parents")

    def __str__(self) -> str:
        return f"{self.parent} {self.key}"


class ImportedRecord(models.Model):
    """Base class of facts: records of other systems, which only imports write."""

    batch = models.ForeignKey(ImportBatch, models.PROTECT, verbose_name=_("import"), related_name="+")

    class Meta:
        abstract = True


class StoredMapping(models.Model):
    """Column mapping that people choose by its name. `imports.column_mapping` reads its text."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind of facts"), max_length=40)  # name of the file schema; follows from the text
    text = models.TextField(_("mapping"))  # YAML
    saved_by = models.CharField(_("saved by"), max_length=150)
    saved_at = models.DateTimeField(_("saved at"), db_default=Now())

    class Meta:
        verbose_name = _("column mapping")
        verbose_name_plural = _("column mappings")

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """One uploaded file: checked, previewed, confirmed by a person, then imported.

    Written by `imports.upload_jobs` alone. Instants are of the host's clock.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting to be checked")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked, not confirmed")
        CONFIRMED = "confirmed", _("waiting to be imported")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        REJECTED = "rejected", _("rejected")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("not confirmed in time")

    ENDED = (Status.IMPORTED, Status.REJECTED, Status.FAILED, Status.EXPIRED)

    kind = models.CharField(_("kind of facts"), max_length=40)  # name of the file schema
    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("contents"))  # emptied when the upload has ended
    size = models.BigIntegerField(_("bytes"))
    mapping = models.TextField(_("column mapping"), blank=True)  # YAML; empty: the columns of a file of facts
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)  # named by a person, then found in the file
    notes: "models.JSONField[list[str], list[str]]" = models.JSONField(_("notes"), default=list)
    in_background = models.BooleanField(_("in the background"), default=False)  # a worker checks and imports it
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    rows = models.BigIntegerField(_("rows"), default=0)  # rows read so far
    counts: "models.JSONField[dict[str, int], dict[str, int]]" = models.JSONField(_("counts"), default=dict)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)  # of instants without an offset
    # First rows of the file as [effect, cells]; the effect is new, update or skip. A cell is [value, stored value], the
    # latter null unless it changes.
    sample: "models.JSONField[list[Any], list[Any]]" = models.JSONField(_("sample"), default=list)
    errors: "models.JSONField[list[str], list[str]]" = models.JSONField(_("errors"), default=list)  # the first 100
    rejected_rows = models.BinaryField(_("rejected rows"), null=True)  # CSV; null without errors
    batch = models.ForeignKey(ImportBatch, models.PROTECT, null=True, verbose_name=_("import"), related_name="+")
    uploaded_by = models.CharField(_("uploaded by"), max_length=150)
    # The only person who may confirm it. Null when the account was deleted: then nobody may.
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, verbose_name=_("uploader"), related_name="+"
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))
    seen_at = models.DateTimeField(_("last step at"))  # last change of status, or last progress of the worker

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.name
