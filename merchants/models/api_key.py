"""API keys: the credentials of programs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant
from merchants.models.merchant import Merchant


class ApiKey(models.Model):
    """API key of a program, for one merchant or, without a merchant, for the whole platform.

    The key itself is `fg_<prefix>_<secret>`; only a hash of the secret is stored. Written by `merchants.api_keys`
    alone. Instants are of the host's clock.
    """

    class Scope(models.TextChoices):
        READ = "read", _("read")
        CLAIM = "claim", _("claim, and attach coupons")
        FACTS = "facts", _("record facts")
        KEYS = "keys", _("manage API keys")
        WEBHOOKS = "webhooks", _("manage webhooks, and read what they send")

    name = models.CharField(_("name"), max_length=100)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, verbose_name=_("merchant"), related_name="api_keys"
    )
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(_("SHA-256"), max_length=64)  # of the secret
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150)
    expires_at = instant(verbose_name=_("expires at"))  # empty: never
    revoked_at = instant(verbose_name=_("revoked at"))
    used_at = instant(verbose_name=_("last used at"))  # to the minute; empty: never used

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"
