"""Blocks: merchants that get nothing from any offer for a time."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant
from imports.models import ImportBatch
from merchants.models.merchant import Merchant


class Block(models.Model):
    """Block of a merchant, proposed by one operator and approved by another. Written by `merchants.blocks` alone.

    It is a fact from its approval: in force from `starts_at`, inclusive, to `ends_at`, exclusive; an empty `ends_at` is
    an open end. `batch` tells the engine of the change; both are empty while it is only proposed. A name may change
    hands, so the keys of both users are stored too.
    """

    class Kind(models.TextChoices):
        FRAUD = "fraud", _("fraud")
        ABUSE = "abuse", _("abuse of offers")
        LEGAL = "legal", _("legal order")
        OTHER = "other", _("other")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        WITHDRAWN = "withdrawn", _("withdrawn")
        LIFTED = "lifted", _("lifted")

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="blocks")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    reason = models.CharField(_("reason"), max_length=500)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PROPOSED)
    batch = models.ForeignKey(ImportBatch, models.PROTECT, null=True, verbose_name=_("import"), related_name="+")
    starts_at = instant(verbose_name=_("starts at"))
    ends_at = instant(verbose_name=_("ends at"))
    proposed_by = models.CharField(_("proposed by"), max_length=150)
    proposer_id = models.BigIntegerField(_("user who proposed it"), null=True)
    proposed_at = models.DateTimeField(_("proposed at"))
    ended_by = models.CharField(_("approved or withdrawn by"), max_length=150, blank=True)
    ender_id = models.BigIntegerField(_("user who approved or withdrew it"), null=True)
    ended_at = instant(verbose_name=_("approved or withdrawn at"))
    lifted_by = models.CharField(_("lifted by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        permissions = [
            ("block_merchant", _("Can propose to block merchants")),
            ("approve_block", _("Can approve blocks that others propose, and lift blocks")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
                name="block_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "withdrawn"], starts_at=None, batch=None)
                | Q(status__in=["approved", "lifted"], starts_at__isnull=False, batch__isnull=False),
                name="block_starts_when_approved",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None)
                | (
                    ~Q(ended_by=F("proposed_by"))
                    & ~Q(ended_by="")
                    & (Q(proposer_id=None) | Q(ender_id=None) | ~Q(ender_id=F("proposer_id")))
                ),
                name="block_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.get_kind_display()}"
