"""Campaigns, their offers, and the versions in which an offer was published."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField


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


class Offer(Named):
    """One promise inside a campaign, and how far it has been decided. `subject` is that of the version in force.

    `claims_decided_until` is the instant up to which claims are decided, empty before the first tick; `reevaluate_all`
    is set when a version, or an operator, wants every subject asked anew. `grants_followed_until` is the instant up to
    which its grants were followed; `asked_until` that of the latest claim decided by itself, ahead of the tick. While
    `paused_at` is set no claim is decided; claims after `stopped_at` are refused. `used` and `line` are caches: places
    taken, and claims that ever met the conditions.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, verbose_name=_("campaign"), related_name="offers")
    code = KeyField(_("offer"), max_length=64, unique=True)
    version = models.ForeignKey(
        "campaigns.Version", models.PROTECT, null=True, verbose_name=_("version"), related_name="+"
    )
    subject = models.CharField(_("subject"), max_length=20, db_default="", editable=False)
    limit = models.PositiveIntegerField(_("limit"), null=True)
    cap = models.PositiveIntegerField(_("limit per merchant"), null=True)
    used = models.BigIntegerField(_("places taken"), default=0)
    line = models.BigIntegerField(_("length of the line"), default=0)
    claims_decided_until = models.DateTimeField(_("decided until"), null=True)
    reevaluate_all = models.BooleanField(_("everyone is to be asked"), default=True)
    grants_followed_until = models.DateTimeField(_("grants followed until"), null=True)
    asked_until = models.DateTimeField(_("asked until"), null=True)
    paused_at = models.DateTimeField(_("paused at"), null=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(condition=Q(used__gte=0) & Q(line__gte=0), name="offer_counts_not_negative"),
        ]


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
    """The coupons that grants of one offer are owed, and how many are out: progress to watch, resumed after a kill.

    `spent_until` is the instant up to which their use was followed, `warned_until` that up to which those who hold some
    that expire soon were told.
    """

    offer = models.OneToOneField(Offer, models.PROTECT, verbose_name=_("offer"), related_name="issuance")
    planned = models.BigIntegerField(_("planned"), default=0)
    issued = models.BigIntegerField(_("issued"), default=0)
    spent_until = models.DateTimeField(_("spending followed until"), null=True)
    warned_until = models.DateTimeField(_("warned of expiry until"), null=True)

    class Meta:
        verbose_name = _("issuance")
        verbose_name_plural = _("issuances")
        constraints = [
            models.CheckConstraint(
                condition=Q(issued__gte=0) & Q(planned__gte=F("issued")), name="issuance_within_plan"
            )
        ]

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.issued} / {self.planned}"
