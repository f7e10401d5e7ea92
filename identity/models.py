"""Sign-in: failed attempts by name and address, and browser sessions that know their owner."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import instant


class LoginAttempt(models.Model):
    """How often a name, or an address, was tried to sign in since an instant. See `identity.login_attempts`."""

    key = models.CharField(_("what was tried"), max_length=100, primary_key=True)
    since = models.DateTimeField(_("since"), db_index=True)
    count = models.PositiveIntegerField(_("tries"), default=0)

    class Meta:
        verbose_name = _("tries to sign in")
        verbose_name_plural = _("tries to sign in")

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class Session(AbstractBaseSession):
    """A browser in which somebody is signed in, or about to be (no user). See `identity.sessions`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, verbose_name=_("user"), related_name="sessions"
    )
    begun_at = instant(verbose_name=_("signed in at"))
    agent = models.CharField(_("browser"), max_length=200, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]  # the base class wrote plain text, not lazy
        verbose_name_plural = _("sessions")  # type: ignore[assignment]  # so here
