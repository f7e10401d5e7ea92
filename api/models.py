"""What a program asked to be done once, and the answer it got."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models import ApiKey


class IdempotencyRecord(models.Model):
    """A write and its Idempotency-Key, stored in the transaction of the effect. Repeated, it gets the same answer."""

    KEPT = timedelta(hours=24)

    api_key = models.ForeignKey(ApiKey, models.CASCADE, db_index=False, verbose_name=_("API key"), related_name="+")
    key = models.CharField(_("idempotency key"), max_length=255)
    digest = models.CharField(_("SHA-256 of the call"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    body: "models.JSONField[Any, Any]" = models.JSONField(_("answer"))
    at = models.DateTimeField(_("at"), db_index=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [models.UniqueConstraint(fields=["key", "api_key"], name="call_once")]

    def __str__(self) -> str:
        return f"{self.api_key_id} {self.key}"
