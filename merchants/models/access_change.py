"""Actions of programs on API keys and webhooks."""

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from merchants.models.api_key import ApiKey
from merchants.models.merchant import Merchant


class AccessChange(models.Model):
    """One action of a program, with its API key, on a key or a webhook. Append-only.

    Actions of people in the workspace are in the admin's history of the object.
    """

    class Verb(models.TextChoices):
        ISSUED = "issued", _("key issued")
        ROTATED = "rotated", _("rotated")
        REVOKED = "revoked", _("revoked")
        REGISTERED = "registered", _("registered")
        CHANGED = "changed", _("changed")
        TESTED = "tested", _("tested")
        RESENT = "resent", _("sent again")

    class Kind(models.TextChoices):
        KEY = "key", _("API key")
        WEBHOOK = "webhook", _("webhook")

    verb = models.CharField(_("action"), max_length=10, choices=Verb)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    target = models.CharField(_("object"), max_length=100)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, verbose_name=_("merchant"), related_name="+", db_index=False
    )
    by = models.ForeignKey(ApiKey, models.PROTECT, verbose_name=_("by"), related_name="+", db_index=False)
    at = models.DateTimeField(_("at"))
    details: "models.JSONField[Any, Any]" = models.JSONField(_("details"), default=dict)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("change by a program")
        verbose_name_plural = _("changes by programs")

    def __str__(self) -> str:
        return f"{self.kind} {self.target} {self.verb}"
