"""Programs that want to hear what happens, and what was sent to each."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.outbox_event import OutboxEvent
from core.db.fields import KeyField
from merchants.models import Merchant


class Endpoint(models.Model):
    """An address that events are sent to: those of one merchant or, without one, all; of `kinds`, or of the usual ones.

    `secret` signs what is sent; until `old_until` the one before signs too. Nothing is sent before `held_until`: the
    receiver asked for it. `gone_at` is when the receiver answered that the address is gone; `owner_told_at` when its
    owner was told. Changed by `campaigns.notifications.webhooks`.
    """

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, verbose_name=_("merchant"), related_name="+"
    )
    kinds: "models.JSONField[list[str], list[str]]" = models.JSONField(_("events"), default=list, blank=True)
    secret = models.CharField(_("secret"), max_length=100)
    old_secret = models.CharField(_("old secret"), max_length=100, blank=True)
    old_until = models.DateTimeField(_("old secret until"), null=True)
    created_by = models.CharField(_("made by"), max_length=150)
    created_at = models.DateTimeField(_("made at"))
    disabled_at = models.DateTimeField(_("disabled at"), null=True)
    held_until = models.DateTimeField(_("held until"), null=True)
    gone_at = models.DateTimeField(_("gone at"), null=True)
    owner_told_at = models.DateTimeField(_("owner told at"), null=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one endpoint: the same `key` at every try. A test has no event.

    `due_at` is when it is tried next, empty once it is delivered or given up; instants are of the host's clock.
    `about` names the object that changed: deliveries about one object are sent in their order.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, db_index=False, verbose_name=_("webhook"), related_name="+")
    event = models.ForeignKey(
        OutboxEvent, models.CASCADE, null=True, verbose_name=_("event"), related_name="deliveries"
    )
    key = models.CharField(_("webhook-id"), max_length=64, unique=True)
    about = KeyField(_("about"), max_length=100)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("next try at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    status = models.PositiveSmallIntegerField(_("answer"), null=True)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="delivery_once"),
            models.CheckConstraint(condition=Q(delivered_at=None) | Q(due_at=None), name="delivery_done_is_not_due"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], condition=Q(due_at__isnull=False), name="delivery_due"),
            models.Index(
                fields=["endpoint", "about", "id"], condition=Q(due_at__isnull=False), name="delivery_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.key
