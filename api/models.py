"""Idempotency records: responses to writes, for requests that are repeated."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models import ApiKey


class IdempotencyRecord(models.Model):
    """Response to a write, by its Idempotency-Key: stored with the effect, replayed for `RETENTION`."""

    RETENTION = timedelta(hours=24)

    api_key = models.ForeignKey(ApiKey, models.CASCADE, db_index=False, verbose_name=_("API key"), related_name="+")
    key = models.CharField(_("idempotency key"), max_length=255)
    digest = models.CharField(_("SHA-256 of the request"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    body: "models.JSONField[Any, Any]" = models.JSONField(_("response"))
    at = models.DateTimeField(_("at"), db_index=True)

    class Meta:
        verbose_name = _("idempotency record")
        verbose_name_plural = _("idempotency records")
        constraints = [models.UniqueConstraint(fields=["key", "api_key"], name="call_once")]

    def __str__(self) -> str:
        return f"{self.api_key_id} {self.key}"
