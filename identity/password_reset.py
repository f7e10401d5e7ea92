"""Password reset by mail: a request is stored, and a worker sends the link.

The page does the same work for every address, so neither its answer nor its duration tells which ones are known.
"""

import logging
import unicodedata
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from identity.backends import find_user
from identity.models import PasswordReset
from identity.rate_limits import RateLimit

logger = logging.getLogger(__name__)
PER_ADDRESS = RateLimit("reset-address", 3, timedelta(hours=1))
PER_NETWORK = RateLimit("reset-network", 20, timedelta(hours=1))
GIVE_UP_AFTER = timedelta(hours=1)


def request_link(email: str, *, language: str, network: str, at: datetime) -> bool:
    """Store a request for a link, known address or not. Return False if there were too many within an hour."""
    address = unicodedata.normalize("NFKC", email).casefold()  # as Django compares addresses
    within_limits = PER_NETWORK.allows(network, at=at) and PER_ADDRESS.allows(address, at=at)
    if within_limits:
        PasswordReset.objects.create(email=email, language=language, requested_at=at)
    return within_limits


def request_link_for(user: User, *, language: str, at: datetime) -> None:
    """Store a request for a link to a user, by an administrator who may change it."""
    PasswordReset.objects.create(email=user.email, language=language, requested_at=at)


def send_links(*, at: datetime) -> int:
    """Send the links that were requested. Return how many mails were sent.

    A request is claimed before its mail is sent, so that two workers do not both send it, and deleted afterwards. If
    the mail server fails it is tried again by the next sweep, for an hour.
    """
    PasswordReset.objects.filter(requested_at__lte=at - GIVE_UP_AFTER).delete()
    waiting = PasswordReset.objects.filter(claimed_at=None).order_by("pk")
    return sum(_send(request) for request in waiting if _claim(request, at))


def password_link(user: User) -> str:
    """Return the address of the page on which the user chooses a password. It works once, and for some days."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password-choose", args=[uid, default_token_generator.make_token(user)])
    return str(urljoin(settings.SITE_URL, path))


def _claim(request: PasswordReset, at: datetime) -> bool:
    return bool(PasswordReset.objects.filter(pk=request.pk, claimed_at=None).update(claimed_at=at))


def _send(request: PasswordReset) -> int:
    users = [user for user in PasswordResetForm().get_users(request.email) if find_user(user.pk)]
    try:
        for user in users:
            _mail_link(user, language=request.language)
    except (OSError, SMTPException) as error:
        logger.warning("A password reset could not be sent: %s", error)
        PasswordReset.objects.filter(pk=request.pk).update(claimed_at=None)
        return 0
    request.delete()
    return len(users)


def _mail_link(user: User, *, language: str) -> None:
    with translation.override(language):
        subject, body = (
            _("Reset your password"),
            render_to_string("mail/password_reset.txt", {"link": password_link(user)}),
        )
    send_mail(subject, body, None, [user.email])
