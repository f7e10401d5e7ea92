"""Mail to operators: the notices that a person wants by mail, in one letter, in the person's language."""

from datetime import datetime
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from campaigns.models import Notification, NotificationPreference
from campaigns.notifications import backends, mailing, preferences
from campaigns.notifications.notice_texts import describe


def unsent() -> QuerySet[Notification]:
    """Return the notifications not mailed yet, of active operators with an address."""
    waiting = Notification.objects.filter(mail=True, mailed_at=None)
    return waiting.filter(user__is_active=True, user__is_staff=True).exclude(user__email="").order_by()


def send(*, at: datetime) -> int:
    """Send the mail that is due at `at`, at most one letter to each operator, and return the number sent.

    Marked, repeated and recognised as the mail of members: see `campaigns.notifications.mailing`.
    """
    held = NotificationPreference.objects.filter(mail_after__gt=at).values("user")
    due = unsent().exclude(user__in=held).values_list("user", flat=True).distinct()
    return sum(_send_to(pk, at) for pk in due)


@transaction.atomic
def _send_to(pk: int, at: datetime) -> bool:
    # The rows are locked: another worker that sends to this person skips them.
    rows = unsent().filter(user=pk).select_for_update(of=("self",), skip_locked=True, no_key=True)
    waiting = list(rows.select_related("notice__offer", "user").order_by("pk"))
    if not waiting:
        return False
    user = waiting[0].user
    preference = preferences.of(user)
    if not mailing.attempt(_letter(user, waiting, preference.language), to=f"operator {pk}"):
        failures = preference.mail_failures
        later = {"mail_failures": failures + 1, "mail_after": at + mailing.gap(failures)}
        NotificationPreference.objects.update_or_create(user=user, defaults=later)
        return False
    Notification.objects.filter(pk__in=[each.pk for each in waiting]).update(mailed_at=at)
    NotificationPreference.objects.filter(user=user).exclude(mail_failures=0).update(mail_failures=0, mail_after=None)
    return True


def _letter(user: User, waiting: list[Notification], language: str) -> EmailMessage:
    with translation.override(language):
        n = len(waiting)
        first = describe(waiting[0].notice)
        subject = first if n == 1 else ngettext("%(n)d notification", "%(n)d notifications", n) % {"n": n}
        shown = waiting[: mailing.MESSAGES_IN_A_MAIL]
        context = {
            "lines": [
                (each.notice, describe(each.notice), urljoin(settings.SITE_URL, each.notice.path)) for each in shown
            ],
            "more": n - len(shown),
            "link": urljoin(settings.SITE_URL, reverse("backoffice:notifications")),
            "choices": urljoin(settings.SITE_URL, reverse("backoffice:notification-settings")),
        }
        body = render_to_string("mail/notifications.txt", context)
    key = f"notice.{waiting[0].pk}.{waiting[-1].pk}.{user.pk}"
    return EmailMessage(" ".join(subject.split()), body, to=[user.email], headers=backends.identified(key))
