"""Grants: one place of an offer, given to one subject."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Offer, Version
from core.db.fields import LONGEST_KEY, KeyField, money
from merchants.models import Merchant


class Grant(models.Model):
    """One place given to one subject. Only the functions of `campaigns.grants.transitions` change its state.

    A grant takes a place of the offer, and of its merchant where the offer limits those, until it is released.
    `band_units` is a JSON object of the units that it takes from the bands of a quota, by `BandCounter.name`; empty
    without bands. `benefit` is what the benefit came to, where a budget had less left than that; otherwise NULL.
    `ended_at` is the instant at which it stopped being live. `review` is the reason why an operator should look at it,
    `differences` the present values of the facts that changed, by reason, and `accepted` those of them that an operator
    has accepted; both are JSON objects. `follow_again` tells the next tick to follow the grant although its facts have
    not changed since.
    """

    class Status(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        LOCKED = "locked", _("locked")
        SETTLED = "settled", _("settled")
        RELEASED = "released", _("released")
        FORFEITED = "forfeited", _("forfeited")
        REVOKED = "revoked", _("revoked")

    LIVE = (Status.RESERVED, Status.LOCKED, Status.SETTLED)

    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False, verbose_name=_("offer"), related_name="grants")
    version = models.ForeignKey(Version, models.PROTECT, db_index=False, verbose_name=_("version"), related_name="+")
    subject = KeyField(_("subject"), max_length=LONGEST_KEY)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="grants")
    status = models.CharField(_("status"), max_length=9, choices=Status)
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    fee = models.CharField(_("fee"), max_length=20, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    coupons = models.PositiveIntegerField(_("coupons owed"), default=0)
    benefit = money(verbose_name=_("benefit before the budget"), null=True)
    band_units = models.TextField(_("taken from bands"), blank=True, db_default="")
    review = models.CharField(_("for review"), max_length=200, blank=True)
    differences = models.TextField(_("changed facts"), blank=True, db_default="")
    accepted = models.TextField(_("accepted in review"), blank=True, db_default="")
    follow_again = models.BooleanField(_("follow again"), default=False)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        permissions = [("revoke_grant", _("Can revoke grants"))]
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "subject"], condition=~Q(status="released"), name="grant_one_per_subject"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="grant_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=["reserved", "locked", "settled"], ended_at=None)
                | Q(status__in=["released", "forfeited", "revoked"], ended_at__isnull=False),
                name="grant_ended_means_not_live",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "fee"], name="grant_on_fee"),
            models.Index(fields=["offer", "subject"], name="grant_of_subject"),
            models.Index(
                fields=["offer", "status"], condition=Q(status__in=["reserved", "locked"]), name="grant_unsettled"
            ),
            models.Index(fields=["offer", "ended_at"], condition=Q(status="released"), name="grant_released"),
            models.Index(fields=["offer", "claimed_at", "subject"], name="grant_export"),
            models.Index(fields=["offer"], condition=Q(follow_again=True), name="grant_follow_again"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.subject}: {self.status}"
