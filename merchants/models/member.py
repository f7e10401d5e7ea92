"""Members: the people who sign in for a merchant."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant
from merchants.models.merchant import Merchant


class Member(models.Model):
    """Person who signs in for a merchant. All members of a merchant see the same pages.

    Written by `merchants.members` and `merchants.invitations`; members change their preferences themselves.
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
    may_attach = models.BooleanField(_("may attach coupons"), default=True)  # always true for a main account
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    zone = models.CharField(_("time zone"), max_length=32, choices=Zone, default=Zone.BEIJING)
    shown: "models.JSONField[list[str], list[str]]" = models.JSONField(
        _("topics on the page of messages"), default=list
    )
    mailed: "models.JSONField[list[str], list[str]]" = models.JSONField(_("topics by mail"), default=list)
    invited_by = models.CharField(_("invited by"), max_length=150)
    invited_at = models.DateTimeField(_("invited at"))
    disabled_at = instant(verbose_name=_("disabled at"))  # empty: may sign in
    mail_failures = models.PositiveSmallIntegerField(_("failed mails in a row"), default=0)
    mail_after = instant(verbose_name=_("no mail before"))  # delay after failed mails; empty: none
    # SHA-256 of the secret in the calendar's address; null: it has no address.
    calendar_digest = models.CharField(_("hash of the calendar's secret"), max_length=64, unique=True, null=True)
    announced_at = instant(verbose_name=_("announced at"))  # empty: the main accounts have yet to be told

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [("see_as_member", _("Can view a merchant's dashboard"))]

    def __str__(self) -> str:
        return self.user.get_username()
