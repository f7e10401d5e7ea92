"""Webhook administration: register, rotate, disable and enable endpoints; order tests and replays.

`campaigns.notifications.webhook_sender` sends what is due.
"""

import base64
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_delivery
from core import safe_http
from core.db.compiled_queries import AnyOfParameter
from merchants.members import enabled
from merchants.models import Member, Merchant

logger = logging.getLogger(__name__)
MOST_OF_A_MERCHANT = 10
"""Enabled endpoints of one merchant: each event is stored and sent once for each of them."""
OVERLAP = timedelta(hours=24)
"""Time after a rotation during which deliveries carry signatures by both secrets."""


class TooManyError(Exception):
    """The merchant has as many enabled endpoints as it may; the text says so. Nothing was changed."""


def register(
    name: str, url: str, *, merchant: Merchant | None, kinds: Iterable[str], at: datetime, by: str
) -> Endpoint:
    """Create an endpoint with a secret of its own: for the events of `merchant`, or of all merchants without one.

    No `kinds` means the usual ones: all but refusals. Raises `safe_http.AddressError` if the address is not public
    HTTPS, TooManyError if the merchant has MOST_OF_A_MERCHANT that are enabled.
    """
    safe_http.check_public(url)
    _lock_room(merchant)
    return Endpoint.objects.create(
        name=name, url=url, merchant=merchant, kinds=sorted(kinds), secret=_secret(), created_by=by, created_at=at
    )


def change(endpoint: Endpoint, **values: Any) -> None:
    """Change `name`, `url` or `kinds` of an endpoint. Raises `safe_http.AddressError`, as `register` does."""
    if "url" in values:
        safe_http.check_public(values["url"])
    if values:
        Endpoint.objects.filter(pk=endpoint.pk).update(**values)


def rotate(endpoint: Endpoint, *, at: datetime) -> None:
    """Replace the secret. Until OVERLAP has passed, deliveries are signed with the old secret too."""
    endpoint.old_secret, endpoint.old_until, endpoint.secret = endpoint.secret, at + OVERLAP, _secret()
    endpoint.save(update_fields=["old_secret", "old_until", "secret"])


def disable(endpoint: Endpoint, *, at: datetime) -> None:
    """Stop deliveries to the endpoint. Waiting deliveries stay and are sent if it is enabled again."""
    Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(disabled_at=at)


def enable(endpoint: Endpoint) -> None:
    """Resume deliveries to the endpoint. Raises TooManyError, as `register` does."""
    if endpoint.disabled_at is not None:
        _lock_room(endpoint.merchant)
    Endpoint.objects.filter(pk=endpoint.pk).update(disabled_at=None, held_until=None, gone_at=None, owner_told_at=None)


def hold(endpoint: Endpoint, *, until: datetime) -> None:
    """Send nothing to the endpoint before `until`: its receiver asked for it."""
    Endpoint.objects.filter(pk=endpoint.pk).update(held_until=until)


def close(endpoint: Endpoint, *, at: datetime) -> None:
    """Disable the endpoint, because its receiver answered that it is gone. `tell_owners` tells its owner."""
    Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(disabled_at=at, gone_at=at, owner_told_at=None)


def tell_owners(*, at: datetime) -> int:
    """Tell the owners of endpoints that are gone: who registered it, and the main accounts of its merchant.

    An endpoint is claimed before the mail is sent, so that two workers do not both send it. If the mail server fails
    it is tried again by the next sweep. Returns the number of endpoints.
    """
    gone = Endpoint.objects.filter(gone_at__isnull=False, owner_told_at=None).select_related("merchant")
    claimed = [each for each in gone if _claim(each, at)]
    return sum(_tell_owner(endpoint) for endpoint in claimed)


def _lock_room(merchant: Merchant | None) -> None:
    """Lock a merchant against others that register for it. Raises TooManyError if it has no room for an endpoint."""
    if merchant is None:
        return
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        if Endpoint.objects.filter(merchant=merchant, disabled_at=None).count() >= MOST_OF_A_MERCHANT:
            text = _("This merchant has %(n)d webhooks. Disable one first.")
            raise TooManyError(text % {"n": MOST_OF_A_MERCHANT})


def _claim(endpoint: Endpoint, at: datetime) -> bool:
    return bool(Endpoint.objects.filter(pk=endpoint.pk, owner_told_at=None).update(owner_told_at=at))


def _tell_owner(endpoint: Endpoint) -> bool:
    users = User.objects.filter(username=endpoint.created_by, is_active=True)
    if not endpoint.merchant and not users:  # registered by a program: those who manage webhooks
        users = User.objects.with_perm("campaigns.change_endpoint", backend=settings.AUTHENTICATION_BACKENDS[0])
    readers = [(user.email, settings.LANGUAGE_CODE) for user in users.exclude(email="")]
    if endpoint.merchant:
        owners = enabled().filter(merchant=endpoint.merchant, role=Member.Role.MAIN).select_related("user")
        readers += [(member.user.email, member.language) for member in owners]
    try:
        for address, language in readers:
            _send_notice(endpoint, address, language)
    except (OSError, SMTPException, ValueError) as error:  # ValueError: a value that no header can hold
        logger.warning("The owner of webhook %s could not be told: %s", endpoint.pk, error)
        Endpoint.objects.filter(pk=endpoint.pk).update(owner_told_at=None)
        return False
    return True


def _send_notice(endpoint: Endpoint, address: str, language: str) -> None:
    with translation.override(language):
        subject = _("Webhook “%(name)s” was disabled") % {"name": endpoint.name}
        body = render_to_string("mail/webhook_gone.txt", {"endpoint": endpoint})
    send_mail(" ".join(subject.split()), body, None, [address])  # a header is one line


def test(endpoint: Endpoint, *, at: datetime) -> Delivery:
    """Create a delivery of type `test` without an event."""
    delivery = webhook_delivery.new(endpoint, None, at)
    delivery.save()
    return delivery


def replay(delivery: Delivery, *, at: datetime) -> None:
    """Make a delivery due again at `at`, under its old webhook-id, delivered before or not."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=at, delivered_at=None, tries=0, status=None, error="")


def listening(limited: bool) -> QuerySet[Endpoint, Any]:
    """Return the merchants of enabled endpoints, NULL for all merchants; `limited` to the parameter `merchants`."""
    endpoints = Endpoint.objects.filter(disabled_at=None)
    if limited:
        endpoints = endpoints.filter(Q(merchant=None) | Q(AnyOfParameter("merchant_id", "merchants")))
    return endpoints.order_by().values_list("merchant_id")


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
