"""Bands of quotas, and the counters by which the database guards them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Offer
from core.db.fields import KeyField


class QuotaBand(models.Model):
    """One band of the version of an offer in force, other than the limits that the offer's own row holds.

    `signature` says what the band counts: new versions of an offer go on with its counters. `at_most` is the limit in
    units: grants, or hundredths of the currency, so that sums are exact on every database. It is NULL where a fact of
    each holder is the limit.
    """

    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False, verbose_name=_("offer"), related_name="bands")
    signature = models.CharField(_("what is counted"), max_length=300)
    at_most = models.BigIntegerField(_("limit"), null=True, blank=True)

    class Meta:
        verbose_name = _("band of a quota")
        verbose_name_plural = _("bands of quotas")
        constraints = [
            models.UniqueConstraint(fields=["offer", "signature"], name="quota_band_once"),
            models.CheckConstraint(condition=Q(at_most__gt=0), name="quota_band_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.signature}: {self.at_most}"


class BandCounter(models.Model):
    """Units that grants have taken from a band, for one holder and period: those that are not released.

    `key` names the holder and the period, empty for a band of all grants. `limit` is that of the band at the latest
    grant, or what was taken by then where the limit was lowered below it: nothing can be added until enough has come
    back.
    """

    band = models.ForeignKey(
        QuotaBand, models.PROTECT, db_index=False, verbose_name=_("band of a quota"), related_name="counters"
    )
    key = KeyField(_("holder and period"), max_length=160, blank=True)
    taken = models.BigIntegerField(_("used"))
    limit = models.BigIntegerField(_("limit"))

    class Meta:
        verbose_name = _("counter of a band")
        verbose_name_plural = _("counters of bands")
        constraints = [
            models.UniqueConstraint(fields=["band", "key"], name="band_counter_once"),
            models.CheckConstraint(condition=Q(taken__gte=0, taken__lte=F("limit")), name="band_within_limit"),
        ]

    @property
    def name(self) -> str:
        """Return the name by which grants refer to the counter."""
        return f"{self.band_id}:{self.key}"

    def __str__(self) -> str:
        return f"{self.name}: {self.taken} / {self.limit}"
