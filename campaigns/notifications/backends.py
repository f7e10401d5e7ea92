"""Back ends of notifications: each takes a notice to a member by one way. Mail is built in; settings add others."""

from dataclasses import dataclass
from typing import Protocol, cast

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from merchants.models import Member


class DeliveryError(OSError):
    """A notice could not be delivered now; it is tried again later."""


class Sendable(Protocol):
    """Letter or notice that can be sent."""

    def send(self) -> object:
        """Send it. Raises OSError or SMTPException."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """News for a member, in its language and time zone.

    `key` is the same when a notice is repeated after a failure, so that a back end can drop what it sent already.
    """

    key: str
    member: Member
    subject: str
    body: str
    link: str

    def send(self) -> None:
        """Deliver the notice by every back end of the settings, in their order."""
        for path in settings.NOTIFICATION_BACKENDS:
            cast(Backend, import_string(path)()).deliver(self)


class Backend(Protocol):
    """One way to a member, such as mail or a short message."""

    def deliver(self, notice: Notice) -> None:
        """Deliver a notice. Raises DeliveryError if that fails for now; a member without an address is no failure."""


class Mail:
    """Mail to the member's address. Mail programs drop a repeated letter by its Message-ID."""

    def deliver(self, notice: Notice) -> None:
        address = notice.member.user.email
        EmailMessage(notice.subject, notice.body, to=[address], headers=identified(notice.key)).send()


def identified(key: str) -> dict[str, str]:
    """Return the headers of a letter, with a Message-ID that is the same each time it is sent."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    return {"Message-ID": f"<{key}@{host}>"}
