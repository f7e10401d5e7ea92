"""Who may come in: members of merchants, programs with keys, and how often somebody tried."""

import secrets

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.fields import instant
from merchants.models.facts import Merchant


def calendar_key() -> str:
    """A secret of 128 random bits that stands in the address of a member's calendar."""
    return secrets.token_urlsafe(16)


class Member(models.Model):
    """A person who signs in for a merchant. Everyone of a merchant sees the same; changed by `merchants.members` alone.

    `zone` and `language` are how they read times and mail; `shown` and `mailed` the topics they want to be told of, on
    their page and by mail.
    """

    class Role(models.TextChoices):
        MAIN = "main", _("main account")
        SUB = "sub", _("sub-account")

    class Zone(models.TextChoices):
        BEIJING = "Asia/Shanghai", _("Beijing")
        LOS_ANGELES = "America/Los_Angeles", _("Los Angeles")
        UTC = "UTC", _("UTC")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="member")
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="members")
    role = models.CharField(_("role"), max_length=4, choices=Role)
    may_attach = models.BooleanField(_("may attach coupons"), default=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    zone = models.CharField(_("time zone"), max_length=32, choices=Zone, default=Zone.BEIJING)
    shown: "models.JSONField[list[str], list[str]]" = models.JSONField(_("told on the page of"), default=list)
    mailed: "models.JSONField[list[str], list[str]]" = models.JSONField(_("told by mail of"), default=list)
    invited_by = models.CharField(_("invited by"), max_length=150)
    invited_at = models.DateTimeField(_("invited at"))
    disabled_at = instant(verbose_name=_("disabled at"))
    mail_failures = models.PositiveSmallIntegerField(_("mails failed in a row"), default=0)
    mail_after = instant(verbose_name=_("no mail before"))
    calendar_key = models.CharField(_("secret of the calendar"), max_length=32, unique=True, default=calendar_key)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [("see_as_member", _("Can open a merchant's dashboard, to look"))]

    def __str__(self) -> str:
        return self.user.get_username()


class Tries(models.Model):
    """How often a name, or an address, was tried to sign in since an instant. See `merchants.attempts`."""

    key = models.CharField(_("what was tried"), max_length=100, primary_key=True)
    since = models.DateTimeField(_("since"), db_index=True)
    count = models.PositiveIntegerField(_("tries"), default=0)

    class Meta:
        verbose_name = _("tries to sign in")
        verbose_name_plural = _("tries to sign in")

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class Session(AbstractBaseSession):
    """A browser in which somebody is signed in, or about to be (no user). See `merchants.sessions`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, verbose_name=_("user"), related_name="sessions"
    )
    begun_at = instant(verbose_name=_("signed in at"))
    agent = models.CharField(_("browser"), max_length=200, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]  # the base class wrote plain text, not lazy
        verbose_name_plural = _("sessions")  # type: ignore[assignment]  # so here


class ApiKey(models.Model):
    """What a program proves itself by: for one merchant, or for the platform (no merchant), within `scopes`.

    Only the hash of the secret is kept. Made, revoked and replaced by `merchants.keys` alone.
    """

    class Scope(models.TextChoices):
        READ = "read", _("read")
        CLAIM = "claim", _("claim, and attach coupons")
        FACTS = "facts", _("record facts")

    name = models.CharField(_("name"), max_length=100)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, verbose_name=_("merchant"), related_name="api_keys"
    )
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(_("SHA-256"), max_length=64)
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=150)
    expires_at = instant(verbose_name=_("expires at"))
    revoked_at = instant(verbose_name=_("revoked at"))
    used_at = instant(verbose_name=_("last used at"))

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"
