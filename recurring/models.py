"""Merchants in periods: the subjects of offers that every merchant can claim again in each period."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField
from imports.models import ImportBatch
from merchants.models import Merchant


class MerchantPeriod(models.Model):
    """One merchant in one part of a recurring period, such as a month. The tick writes it when the part has begun.

    `recurrence` identifies the offer and its period, `period` the part, as `2022-10`. The part reaches from `starts_at`
    up to `ends_at`, which is exclusive. `batch` is the batch that made the tick look at the row.
    """

    period_no = KeyField(_("merchant and period"), max_length=129, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="periods")
    recurrence = models.CharField(_("recurrence"), max_length=8)
    period = models.CharField(_("period"), max_length=40)
    starts_at = models.DateTimeField(_("starts at"), db_index=True)
    ends_at = models.DateTimeField(_("ends at"), db_index=True)
    batch = models.ForeignKey(ImportBatch, models.PROTECT, verbose_name=_("import"), related_name="+")

    class Meta:
        verbose_name = _("merchant in a period")
        verbose_name_plural = _("merchants in periods")
        indexes = [models.Index(fields=["recurrence", "starts_at"], name="merchant_period_of_offer")]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="merchant_period_not_empty"),
            models.UniqueConstraint(fields=["merchant", "recurrence", "period"], name="merchant_period_once"),
        ]

    def __str__(self) -> str:
        return self.period_no


class WrittenPeriod(models.Model):
    """Part of a recurring period whose merchants have been written; later ones are written as they are recorded."""

    recurrence = models.CharField(_("recurrence"), max_length=8)
    period = models.CharField(_("period"), max_length=40)

    class Meta:
        verbose_name = _("written period")
        verbose_name_plural = _("written periods")
        constraints = [models.UniqueConstraint(fields=["recurrence", "period"], name="written_period_once")]

    def __str__(self) -> str:
        return f"{self.recurrence} {self.period}"
