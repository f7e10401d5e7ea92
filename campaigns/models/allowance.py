"""Allowances that merchants have, the results of uses, and the journal of both."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.document import Document, DocumentVersion
from core.db.fields import KeyField, instant
from merchants.models import Merchant
from services.models import Usage


class UseProgress(models.Model):
    """Instant up to which the uses of one name were decided. Its row is the lock of all who decide such uses."""

    use = KeyField(_("use"), max_length=64, primary_key=True)
    decided_until = models.DateTimeField(_("decided until"), null=True)

    class Meta:
        verbose_name = _("progress of a use")
        verbose_name_plural = _("progress of uses")

    def __str__(self) -> str:
        return self.use


class Allowance(models.Model):
    """Units that a merchant has in one part of a period, and how many of them are used.

    The row is written when the allowance is collected, or first used where it needs no collecting: then `request_no` is
    empty. It keeps the version under which it was written. The database refuses a use beyond the units.
    """

    document = models.ForeignKey(
        Document, models.PROTECT, db_constraint=False, verbose_name=_("allowance"), related_name="allowances"
    )
    version = models.ForeignKey(
        DocumentVersion,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        verbose_name=_("version"),
        related_name="+",
    )
    merchant = models.ForeignKey(
        Merchant,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        verbose_name=_("merchant"),
        related_name="allowances",
    )
    period = KeyField(_("period"), max_length=40)  # such as 2022-10
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    units = models.BigIntegerField(_("units"))
    used = models.BigIntegerField(_("used"), default=0)
    request_no = KeyField(_("request"), max_length=64, blank=True)
    collected_at = instant(verbose_name=_("collected at"))

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "document", "period"], name="allowance_once_a_period"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("units")), name="allowance_not_overspent"),
            models.CheckConstraint(
                condition=Q(request_no="", collected_at=None) | (~Q(request_no="") & Q(collected_at__isnull=False)),
                name="allowance_collected_by_request",
            ),
        ]

    @property
    def left(self) -> int:
        """Units that are left."""
        return self.units - self.used

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.period}: {self.used} / {self.units}"


class AllowanceNotice(models.Model):
    """Part of a period of an allowance, of which the members of the merchants that have it were told."""

    document = models.ForeignKey(Document, models.PROTECT, verbose_name=_("allowance"), related_name="notices")
    period = KeyField(_("period"), max_length=40)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    sent_at = models.DateTimeField(_("sent at"))

    class Meta:
        verbose_name = _("notice of an allowance")
        verbose_name_plural = _("notices of allowances")
        constraints = [models.UniqueConstraint(fields=["document", "period"], name="allowance_notice_once")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.period}"


class UsageDecision(models.Model):
    """Result of one use: accepted by an allowance of its merchant, or refused.

    `taken` are the units that it took from the allowance of `document` in `period`. `returned` came back when it was
    cancelled, at `returned_at`. Of an allowance that counts buyers, the first use for a buyer takes the unit, and the
    last one that is cancelled gives it back.
    """

    class Result(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        NO_ALLOWANCE = "no_allowance", _("no allowance")
        NOTHING_LEFT = "nothing_left", _("nothing left")

    # Written in bulk for locked uses and rows just read: the database checks none of the references.
    usage = models.OneToOneField(
        Usage,
        models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        verbose_name=_("usage"),
        related_name="decision",
    )
    merchant = models.ForeignKey(
        Merchant, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("merchant"), related_name="+"
    )
    use = KeyField(_("use"), max_length=64)
    used_at = models.DateTimeField(_("used at"))
    result = models.CharField(_("result"), max_length=12, choices=Result)
    document = models.ForeignKey(
        Document,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        verbose_name=_("allowance"),
        related_name="+",
    )
    period = KeyField(_("period"), max_length=40, blank=True)
    taken = models.BigIntegerField(_("units taken"), default=0)
    returned = models.BigIntegerField(_("units returned"), default=0)
    returned_at = instant(verbose_name=_("returned at"))

    class Meta:
        verbose_name = _("decision on a use")
        verbose_name_plural = _("decisions on uses")
        constraints = [
            models.CheckConstraint(
                condition=Q(result="accepted", document__isnull=False)
                | (~Q(result="accepted") & Q(document=None, taken=0, returned=0, returned_at=None)),
                name="use_accepted_by_allowance",
            ),
            models.CheckConstraint(condition=Q(taken__gte=0, returned__gte=0), name="use_units_not_negative"),
        ]
        indexes = [models.Index(fields=["merchant", "use", "used_at"], name="use_decided_of_merchant")]

    def __str__(self) -> str:
        return f"{self.usage_id}: {self.result}"


class AllowanceEntry(models.Model):
    """One change of one allowance, written with the change. Append-only.

    `units` are those that the merchant gained by collecting, took, or got back; negative where a correction of facts
    takes away what was collected, or undoes a use.
    """

    class Kind(models.TextChoices):
        COLLECTED = "collected", _("collected")
        USED = "used", _("used")
        RETURNED = "returned", _("returned")

    document = models.ForeignKey(
        Document, models.PROTECT, db_constraint=False, verbose_name=_("allowance"), related_name="entries"
    )
    version = models.ForeignKey(
        DocumentVersion,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        verbose_name=_("version"),
        related_name="+",
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("merchant"), related_name="+"
    )
    period = KeyField(_("period"), max_length=40)
    kind = models.CharField(_("change"), max_length=9, choices=Kind)
    units = models.BigIntegerField(_("units"))
    reference = KeyField(_("usage or request"), max_length=64)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("journal entry of an allowance")
        verbose_name_plural = _("journal of allowances")
        indexes = [models.Index(fields=["merchant", "at"], name="allowance_entry_of_merchant")]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.period} {self.kind} {self.units}"
