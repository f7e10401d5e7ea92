"""Who is signed in where: sessions in the database that know whose they are, and end when nobody uses them.

They end after `SESSION_COOKIE_AGE` seconds without a request, and `SESSION_LIFETIME` seconds after signing in, whatever
happens: one hour and one day, as NIST SP 800-63B-4 has it for its second level. Deleting a row signs that browser out.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as InDatabase
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from identity.models import Session

BEGUN, SEEN, AGENT = "begun", "seen", "agent"
NOTED = 60
"""Seconds after which a request is noted as one more use: not each writes a row."""


class SessionStore(InDatabase):
    """Django's own, with whose the session is beside it."""

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def create_model_instance(self, data: Any) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.begun_at = datetime.fromtimestamp(data[BEGUN], UTC) if BEGUN in data else None
        row.agent = data.get(AGENT, "")
        return row


@receiver(user_logged_in)
def begin(request: HttpRequest, **_signal: Any) -> None:
    """From now on the session is somebody's, and its time runs."""
    request.session[BEGUN] = request.session[SEEN] = int(timezone.now().timestamp())
    request.session[AGENT] = request.headers.get("User-Agent", "")[:200]


def limited(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: sign out who signed in too long ago, note that the others were here."""

    def answer(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:  # programs have none, and their answers do not vary by it
            _limit(request)
        return get_response(request)

    return answer


def _limit(request: HttpRequest) -> None:
    begun = request.session.get(BEGUN)
    if begun is None:
        return
    now = timezone.now().timestamp()
    if now - begun > settings.SESSION_LIFETIME:
        logout(request)
    elif now - request.session[SEEN] > NOTED:
        request.session[SEEN] = int(now)


def of(user: User, *, at: datetime) -> QuerySet[Session]:
    """Where the user is signed in at an instant, the latest used first."""
    return Session.objects.filter(user=user, expire_date__gt=at).order_by("-expire_date", "session_key")


def end(user: User, *, but: str | None = None, number: str | None = None) -> int:
    """Sign the user out: everywhere, everywhere but in the session of that key, or in the one of that number alone.

    Returns in how many browsers.
    """
    chosen = Session.objects.filter(user=user).exclude(session_key=but or "")
    keys = [key for key in chosen.values_list("session_key", flat=True) if number in (None, numbered(key))]
    return Session.objects.filter(session_key__in=keys).delete()[0]


def numbered(key: str) -> str:
    """What a page calls a session by: its key is a secret."""
    return sha256(key.encode()).hexdigest()[:16]


def seen_at(session: Session) -> datetime:
    """When the session was last used, to about a minute."""
    return session.expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE)


def forget() -> None:
    """Delete what is over."""
    SessionStore.clear_expired()
