"""Campaigns, their offers, and the versions in which an offer was published."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField
from core.search import register_named
from merchants.models import Merchant


class Named(models.Model):
    """Something with a name in both languages."""

    name_en = models.CharField(_("name in English"), max_length=200)
    name_zh = models.CharField(_("name in Chinese"), max_length=200)

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the language in force."""
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en

    def __str__(self) -> str:
        return self.name


class Campaign(Named):
    """A season with a name, holding offers. `source` is the text of the definition last published."""

    code = KeyField(_("campaign"), max_length=64, unique=True)
    source = models.TextField(_("definition"))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")


register_named(Campaign, "code", "name_en", "name_zh")


class Offer(Named):
    """One promise of a campaign: its quota, and the instants up to which it has been processed.

    `subject`, `limit` and `limit_per_merchant` are those of the version in force. `places_taken` counts the grants that
    are not released; it changes in the transaction that writes or releases them, and the database refuses a value above
    `limit`. `qualified_claims` counts the claims that met the conditions; each of them gets the next number as its
    position in the queue.

    A tick decides claims up to `claims_decided_until` and follows grants up to `grants_followed_until`; both are empty
    before the first tick. `instant_claims_decided_until` is the instant of the latest claim decided ahead of the tick.
    `reevaluate_all` tells the next tick to evaluate every subject, not only those whose facts changed. Claims wait
    while `paused_at` is set; claims made after `stopped_at` are refused. `has_quarantined` is true while a
    QuarantineEntry may concern the offer, so that nobody else asks for entries.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, verbose_name=_("campaign"), related_name="offers")
    code = KeyField(_("offer"), max_length=64, unique=True)
    version = models.ForeignKey(
        "campaigns.Version", models.PROTECT, null=True, verbose_name=_("version"), related_name="+"
    )
    subject = models.CharField(_("subject"), max_length=20, db_default="", editable=False)
    limit = models.PositiveIntegerField(_("limit"), null=True)
    limit_per_merchant = models.PositiveIntegerField(_("limit per merchant"), null=True)
    places_taken = models.BigIntegerField(_("used"), default=0)
    qualified_claims = models.BigIntegerField(_("qualified claims"), default=0)
    claims_decided_until = models.DateTimeField(_("claims decided until"), null=True)
    reevaluate_all = models.BooleanField(_("reevaluate all subjects"), default=True)
    grants_followed_until = models.DateTimeField(_("grants followed until"), null=True)
    instant_claims_decided_until = models.DateTimeField(_("instant claims decided until"), null=True)
    paused_at = models.DateTimeField(_("paused at"), null=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True)
    has_quarantined = models.BooleanField(_("has quarantined subjects"), default=False, editable=False)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(
                condition=Q(places_taken__gte=0) & Q(qualified_claims__gte=0), name="offer_counts_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(limit=None) | Q(places_taken__lte=F("limit")), name="offer_places_within_limit"
            ),
        ]


register_named(Offer, "code", "name_en", "name_zh")


class MerchantQuota(models.Model):
    """The places one merchant has taken of one offer that has a limit per merchant.

    `limit` is the offer's limit per merchant at the latest grant, or the number of places taken by then where the limit
    was lowered below it: nothing can be added until enough places have come back.
    """

    # The unique constraint is the only index that is needed; the references are those of the grants counted here.
    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False, verbose_name=_("offer"), related_name="+")
    merchant = models.ForeignKey(
        Merchant, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("merchant"), related_name="+"
    )
    places_taken = models.PositiveIntegerField(_("used"))
    limit = models.PositiveIntegerField(_("limit"))

    class Meta:
        verbose_name = _("quota of a merchant")
        verbose_name_plural = _("quotas of merchants")
        constraints = [
            models.UniqueConstraint(fields=["offer", "merchant"], name="merchant_quota_once"),
            models.CheckConstraint(
                condition=Q(places_taken__gte=0, places_taken__lte=F("limit")), name="merchant_places_within_limit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.merchant_id}: {self.places_taken} / {self.limit}"


class Version(models.Model):
    """One published wording of an offer. It never changes; a grant names the version that decided it."""

    offer = models.ForeignKey(Offer, models.PROTECT, verbose_name=_("offer"), related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    definition: "models.JSONField[Any, Any]" = models.JSONField(_("definition"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    published_at = models.DateTimeField(_("published at"))
    published_by = models.CharField(_("published by"), max_length=150)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = [models.UniqueConstraint(fields=["offer", "number"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.offer_id} v{self.number}"


class Issuance(models.Model):
    """Coupons of one offer: `planned` by its grants, and `issued` so far.

    `spent_until` is the instant up to which their use was followed, `warned_until` that up to which members were
    notified of coupons that expire soon.
    """

    offer = models.OneToOneField(Offer, models.PROTECT, verbose_name=_("offer"), related_name="issuance")
    planned = models.BigIntegerField(_("planned"), default=0)
    issued = models.BigIntegerField(_("issued"), default=0)
    spent_until = models.DateTimeField(_("use followed until"), null=True)
    warned_until = models.DateTimeField(_("expiry notices sent until"), null=True)

    class Meta:
        verbose_name = _("coupon issuance")
        verbose_name_plural = _("coupon issuance")
        constraints = [
            models.CheckConstraint(
                condition=Q(issued__gte=0) & Q(planned__gte=F("issued")), name="issuance_within_plan"
            )
        ]

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.issued} / {self.planned}"
