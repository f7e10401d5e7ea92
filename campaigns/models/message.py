"""Messages to members, the channels on which they were sent, and notes that operators write to a merchant."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.allowance import AllowanceNotice
from campaigns.models.outbox_event import OutboxEvent
from merchants.models import Member, Merchant


class Note(models.Model):
    """Text that an operator wrote to a merchant. Append-only; each member gets a message of it."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="notes")
    text = models.CharField(_("text"), max_length=1000)
    by = models.CharField(_("by"), max_length=150)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message to a merchant")
        verbose_name_plural = _("messages to merchants")
        permissions = [("write_to_merchant", _("Can send messages to merchants"))]

    def __str__(self) -> str:
        return f"{self.merchant_id} {self.text[:40]}"


class Message(models.Model):
    """One matter told to one member: on its page (`shown`), by mail (`mailed_at`, empty while `mail` waits), or both.

    `matter` names what happened, so that the coupons of one bundle are told of once; `event` is the first of them. A
    message of an operator has a `note` instead, one that an allowance is there an `allowance`.
    """

    class Topic(models.TextChoices):
        GRANTED = "granted", _("a benefit was granted")
        ISSUED = "issued", _("coupons were issued")
        EXPIRING = "expiring", _("coupons expire in 5 days")
        REFUSED = "refused", _("the quota was used up for a claim")
        REVOKED = "revoked", _("a benefit or coupon was taken away or forfeited")
        PROGRESS = "progress", _("a benefit moved on: settled, attached, redeemed, given back, expired")
        NOTE = "note", _("a message from the marketplace")

    event = models.ForeignKey(OutboxEvent, models.CASCADE, null=True, verbose_name=_("event"), related_name="messages")
    note = models.ForeignKey(Note, models.CASCADE, null=True, verbose_name=_("note"), related_name="messages")
    allowance = models.ForeignKey(
        AllowanceNotice, models.CASCADE, null=True, verbose_name=_("allowance"), related_name="messages"
    )
    member = models.ForeignKey(
        Member, models.CASCADE, db_index=False, verbose_name=_("member"), related_name="messages"
    )
    topic = models.CharField(_("topic"), max_length=8, choices=Topic)
    matter = models.CharField(_("matter"), max_length=200)
    shown = models.BooleanField(_("on the page"))
    mail = models.BooleanField(_("by mail"))
    mailed_at = models.DateTimeField(_("mailed at"), null=True)
    read_at = models.DateTimeField(_("read at"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["member", "matter"], name="message_once"),
            models.CheckConstraint(condition=Q(shown=True) | Q(mail=True), name="message_somewhere"),
            models.CheckConstraint(
                condition=Q(event__isnull=False, note=None, allowance=None)
                | Q(event=None, note__isnull=False, allowance=None)
                | Q(event=None, note=None, allowance__isnull=False),
                name="message_of_one_source",
            ),
        ]
        indexes = [
            models.Index(fields=["member"], condition=Q(mail=True, mailed_at=None), name="message_to_mail"),
            models.Index(fields=["member", "-id"], condition=Q(shown=True), name="message_on_page"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.matter}"

    @property
    def at(self) -> datetime:
        """Instant at which it happened, or was written."""
        if self.allowance is not None:
            return self.allowance.sent_at
        source = self.event or self.note
        assert source is not None
        return source.at
