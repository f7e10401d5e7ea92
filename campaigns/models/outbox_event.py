"""Outbox: events to be delivered to webhooks and members."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.offer import Offer
from core.db.fields import LONGEST_KEY, KeyField, money_total
from merchants.models import Merchant


class OutboxEvent(models.Model):
    """Something that happened and is to be told, written in the transaction in which it happened.

    Rows are written only where a listener exists (`campaigns.notifications.outbox`). `spread` is set once every
    listener has a row of its own that says so: a message, a delivery. `at` is when it happened by the facts.
    """

    class Kind(models.TextChoices):
        GRANTED = "granted", _("granted")
        LOCKED = "locked", _("locked")
        SETTLED = "settled", _("settled")
        RELEASED = "released", _("released")
        FORFEITED = "forfeited", _("forfeited")
        REVOKED = "revoked", _("revoked")
        REVIEW_STARTED = "review_started", _("review started")
        KEPT = "kept", _("kept after review")
        REFUSED = "refused", _("refused")
        COUPON_ISSUED = "coupon_issued", _("coupon issued")
        COUPON_LOCKED = "coupon_locked", _("coupon attached")
        COUPON_RETURNED = "coupon_returned", _("coupon given back")
        COUPON_REDEEMED = "coupon_redeemed", _("coupon redeemed")
        COUPON_EXPIRING = "coupon_expiring", _("coupons expire soon")
        COUPON_EXPIRED = "coupon_expired", _("coupon expired")
        COUPON_VOID = "coupon_void", _("coupon taken away")
        QUOTA_80 = "quota_80", _("80% of the quota used")
        QUOTA_95 = "quota_95", _("95% of the quota used")
        QUOTA_100 = "quota_100", _("quota used up")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False, verbose_name=_("offer"), related_name="+")
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, db_index=False, verbose_name=_("merchant"), related_name="+"
    )
    subject = KeyField(_("subject"), max_length=LONGEST_KEY, blank=True)
    grant_id = models.BigIntegerField(_("grant"), null=True)
    coupon_id = models.BigIntegerField(_("coupon"), null=True)
    order_no = KeyField(_("order"), max_length=64, blank=True)
    at = models.DateTimeField(_("at"))
    amount = money_total(verbose_name=_("amount"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    fanned_out = models.BooleanField(_("fanned out"), default=False)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["id"], condition=Q(fanned_out=False), name="event_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
