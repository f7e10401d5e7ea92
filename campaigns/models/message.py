"""Messages to members, and the channels on which they were sent."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.outbox_event import OutboxEvent
from merchants.models import Member


class Message(models.Model):
    """One matter told to one member: on its page (`shown`), by mail (`mailed_at`, empty while `mail` waits), or both.

    `matter` names what happened, so that the coupons of one bundle are told of once; `event` is the first of them.
    """

    class Topic(models.TextChoices):
        GRANTED = "granted", _("a benefit was granted")
        ISSUED = "issued", _("coupons were issued")
        EXPIRING = "expiring", _("coupons expire in 5 days")
        REFUSED = "refused", _("no place was left for a claim")
        REVOKED = "revoked", _("a benefit or coupon was taken away or forfeited")
        PROGRESS = "progress", _("a benefit moved on: settled, attached, redeemed, given back, expired")

    event = models.ForeignKey(OutboxEvent, models.CASCADE, verbose_name=_("event"), related_name="messages")
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
        ]
        indexes = [
            models.Index(fields=["member"], condition=Q(mail=True, mailed_at=None), name="message_to_mail"),
            models.Index(fields=["member", "-id"], condition=Q(shown=True), name="message_on_page"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.matter}"
