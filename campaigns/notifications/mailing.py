"""Mail: the messages that a member wants sent, in one notice, in the member's language and time zone.

The notice goes to every back end of the settings; mail is the one built in.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from campaigns.models import Message
from campaigns.notifications.backends import Notice, Sendable
from campaigns.notifications.message_texts import describe_message
from merchants import members
from merchants.models import Member

logger = logging.getLogger(__name__)
MESSAGES_IN_A_MAIL = 20
LONGEST_GAP_MINUTES = 24 * 60


def send_mail(*, at: datetime) -> int:
    """Send the mail that is due at `at`, at most one letter to each member, and return the number sent.

    A mail is marked as sent in the transaction that sends it. If the process dies between the two, it is sent again
    with the same Message-ID, by which mail programs drop the duplicate. After an error the mail is tried again after
    1, 2, 4, … minutes, at most a day.
    """
    due = Member.objects.filter(pk__in=unsent().values("member")).exclude(mail_after__gt=at)
    return sum(_send_to(pk, at) for pk in due.values_list("pk", flat=True))


def unsent() -> QuerySet[Message]:
    """Return the messages not mailed yet, of enabled members who have signed in at least once."""
    waiting = Message.objects.filter(mail=True, mailed_at=None)
    return waiting.filter(member__in=members.enabled(), member__user__last_login__isnull=False).order_by()


@transaction.atomic
def _send_to(pk: int, at: datetime) -> bool:
    rows = Member.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    member = rows.select_related("user", "merchant").filter(pk=pk).first()
    if member is None:
        return False  # another worker is sending to this member
    waiting = Message.objects.filter(member=member, mail=True, mailed_at=None)
    messages = list(waiting.select_related("event__offer__version", "note", "allowance__document").order_by("pk"))
    if not messages:
        return False
    if not attempt(_notice(member, messages), to=f"member {pk}"):
        later = at + gap(member.mail_failures)
        Member.objects.filter(pk=pk).update(mail_failures=F("mail_failures") + 1, mail_after=later)
        return False
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(mailed_at=at)
    Member.objects.filter(pk=pk).exclude(mail_failures=0).update(mail_failures=0, mail_after=None)
    return True


def attempt(letter: Sendable, *, to: str) -> bool:
    """Send a letter or notice. Return False and log it if that fails; `to` names the person in the log."""
    try:
        letter.send()
    except (OSError, SMTPException) as error:
        logger.warning("Mail to %s failed: %s", to, error)
        return False
    return True


def gap(failures: int) -> timedelta:
    """Return the time to wait after a failed mail, with so many failed ones before."""
    return timedelta(minutes=min(2**failures, LONGEST_GAP_MINUTES))


def _notice(member: Member, messages: list[Message]) -> Notice:
    with translation.override(member.language), timezone.override(ZoneInfo(member.zone)):
        n = len(messages)
        subject = ngettext("%(n)d change to your benefits", "%(n)d changes to your benefits", n) % {"n": n}
        listed = messages[:MESSAGES_IN_A_MAIL]
        link = urljoin(settings.SITE_URL, reverse("messages"))
        context = {
            "member": member,
            "lines": [(message.at, describe_message(message)) for message in listed],
            "more": n - len(listed),
            "link": link,
        }
        body = render_to_string("mail/messages.txt", context)
    key = f"{messages[0].pk}.{messages[-1].pk}.{member.pk}"
    return Notice(key=key, member=member, subject=subject, body=body, link=link)
