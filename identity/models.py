"""Sign-in: counts for rate limits, browser sessions, requests of password resets and of roles."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant


class RateCount(models.Model):
    """Number of events of one person, address or network until an instant. See `identity.rate_limits`."""

    key = models.CharField(_("limit and digest"), max_length=100, primary_key=True)
    ends_at = models.DateTimeField(_("ends at"), db_index=True)
    count = models.PositiveIntegerField(_("events"), default=0)

    class Meta:
        verbose_name = _("rate count")
        verbose_name_plural = _("rate counts")

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class PasswordReset(models.Model):
    """Request of a link to choose a new password, until the link was sent. See `identity.password_reset`."""

    email = models.EmailField(_("email address"))
    language = models.CharField(_("language"), max_length=10)
    requested_at = models.DateTimeField(_("requested at"))
    claimed_at = instant(verbose_name=_("claimed at"))  # a worker sends the link; empty: it waits

    class Meta:
        verbose_name = _("password reset")
        verbose_name_plural = _("password resets")

    def __str__(self) -> str:
        return str(self.pk)


class Session(AbstractBaseSession):
    """Session of a browser; without a user until sign-in is complete. See `identity.sessions`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, verbose_name=_("user"), related_name="sessions"
    )
    begun_at = instant(verbose_name=_("signed in at"))
    agent = models.CharField(_("browser"), max_length=200, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]  # the base class has plain text, not lazy
        verbose_name_plural = _("sessions")  # type: ignore[assignment]  # so here


class RoleRequest(models.Model):
    """A role that an administrator gave to a user, until a second one confirms it. See `identity.role_requests`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+")
    role = models.ForeignKey(Group, models.CASCADE, verbose_name=_("role"), related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("requested by"), related_name="+"
    )
    requested_at = models.DateTimeField(_("requested at"))

    class Meta:
        verbose_name = _("role to confirm")
        verbose_name_plural = _("roles to confirm")
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_requested_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"
