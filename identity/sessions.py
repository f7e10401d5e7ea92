"""Browser sessions: stored in the database with their user, and limited in time.

A session ends after `SESSION_COOKIE_AGE` seconds without a request, and in any case `SESSION_LIFETIME` seconds after
sign-in: one hour and one day, the limits of NIST SP 800-63B-4 for level 2. Deleting a row signs that browser out.

A row is stored under a hash of the key, so that a copy of the database contains no key that a browser could send.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db.models import QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from identity.models import Session

# Keys in the session's data; the first two are Unix times in seconds.
BEGUN, LAST_USED, AGENT = "begun", "seen", "agent"
UPDATE_INTERVAL = 60
"""Seconds between two updates of the time of last use, so that not every request writes to the database."""


def hashed(key: str) -> str:
    """Return the hash of a session's key under which its row is stored: 160 bits of SHA-256."""
    return sha256(key.encode(errors="surrogatepass")).hexdigest()[:40]


class SessionStore(DatabaseSessionStore):
    """Django's store with hashed keys, and columns for the user, the time of sign-in and the browser."""

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def exists(self, session_key: str) -> bool:
        return super().exists(hashed(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(hashed(key))

    def create_model_instance(self, data: Any) -> Any:
        row: Any = super().create_model_instance(data)
        row.session_key = hashed(row.session_key)
        row.user_id = data.get(SESSION_KEY)
        row.begun_at = datetime.fromtimestamp(data[BEGUN], UTC) if BEGUN in data else None
        row.agent = data.get(AGENT, "")
        return row

    def _get_session_from_db(self) -> Session | None:
        rows = Session.objects.filter(expire_date__gt=timezone.now())
        row = rows.filter(session_key=hashed(str(self.session_key))).first()
        if row is None:
            self._session_key: str | None = None
        return row


@receiver(user_logged_in)
def begin(request: HttpRequest, **_signal: object) -> None:
    """Store the time of sign-in and the browser in the session."""
    request.session[BEGUN] = request.session[LAST_USED] = int(timezone.now().timestamp())
    request.session[AGENT] = request.headers.get("User-Agent", "")[:200]


def enforce_lifetime(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: sign users out at the end of the session's lifetime, and update the time of last use."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Without a cookie the session is not touched: responses to programs must not vary by cookie.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            _enforce(request)
        return get_response(request)

    return middleware


def _enforce(request: HttpRequest) -> None:
    begun = request.session.get(BEGUN)
    if begun is None:
        return
    now = timezone.now().timestamp()
    if now - begun > settings.SESSION_LIFETIME:
        logout(request)
    elif now - request.session[LAST_USED] > UPDATE_INTERVAL:
        request.session[LAST_USED] = int(now)


def active_sessions(user: User, *, at: datetime) -> QuerySet[Session]:
    """Return the user's sessions that have not ended at an instant, the last used first."""
    return Session.objects.filter(user=user, expire_date__gt=at).order_by("-expire_date", "session_key")


def end(user: User, *, keep: str | None = None, public_id: str = "") -> int:
    """End the user's sessions, except the one with the key `keep`; with `public_id`, that session only.

    Returns the number of sessions ended.
    """
    rows = Session.objects.filter(user=user, session_key__startswith=public_id)
    return rows.exclude(session_key=hashed(keep) if keep else "").delete()[0]


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def end_sessions_of_inactive_user(instance: User, **_signal: object) -> None:
    """End the sessions of a user who was deactivated, so that none comes back when the user is activated again."""
    if not instance.is_active:
        end(instance)


def public_id_of(session: Session) -> str:
    """Return the identifier of a session for use in pages."""
    return session.session_key[:16]


def last_used_at(session: Session) -> datetime:
    """Return the instant of the session's last use, accurate to `UPDATE_INTERVAL`."""
    return session.expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE)


def delete_expired() -> None:
    """Delete sessions that have ended."""
    SessionStore.clear_expired()
