"""Sign-in: counts of attempts by name and address, and browser sessions with their user."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant


class LoginAttempt(models.Model):
    """Number of sign-in attempts for a name, or from an address, since an instant. See `identity.login_attempts`."""

    key = models.CharField(_("name or address"), max_length=100, primary_key=True)
    since = models.DateTimeField(_("since"), db_index=True)
    count = models.PositiveIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("sign-in attempts")
        verbose_name_plural = _("sign-in attempts")

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


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
