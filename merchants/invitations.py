"""Invitations of members: send, send again, withdraw, and tell the merchant's main accounts of those by the platform.

`by` is the user who invites: a main account of the merchant, or an operator.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from identity.password_reset import password_link
from identity.rate_limits import RateLimit
from merchants import members
from merchants.members import MemberError
from merchants.models import Member, Merchant

logger = logging.getLogger(__name__)
Role = Member.Role
PER_INVITER = RateLimit("invitations", 50, timedelta(days=1))
PER_ADDRESS = RateLimit("invitation-day", 5, timedelta(days=1))
GAP = RateLimit("invitation-minute", 1, timedelta(minutes=1))


def count(email: str, *, by: User, at: datetime) -> None:
    """Count an attempt to invite, at an instant of the host's clock. Raises MemberError where there are too many.

    Outside the transaction of the invitation refused ones count too: they tell which addresses are in use.
    """
    pair = f"{by.pk} {email.strip().lower()}"
    if not GAP.allows(pair, at=at):
        raise MemberError(_("This address was invited less than a minute ago."))
    if not (PER_ADDRESS.allows(pair, at=at) and PER_INVITER.allows(str(by.pk), at=at)):
        raise MemberError(_("Too many invitations within a day. Try again tomorrow."))


@transaction.atomic
def invite(
    email: str, *, to: Merchant, role: str = Role.SUB, may_attach: bool = True, language: str, at: datetime, by: User
) -> Member:
    """Add a member of the merchant and mail a link to choose a password.

    Raises MemberError, and adds nobody, when the address is in use or that of an operator, or the mail cannot be sent.
    """
    if by.is_staff and members.is_mailbox_of(by, email):
        raise MemberError(_("You cannot invite yourself to a merchant."))
    name = by.get_username()
    member = members.add(email, to=to, role=role, may_attach=may_attach, language=language, at=at, by=name)
    if by.is_staff:  # the merchant did not do this itself: tell its main accounts
        Member.objects.filter(pk=member.pk).update(announced_at=None)
    _send(member)
    return member


def resend(member: Member) -> None:
    """Mail the link again to a member who has not signed in. Raises MemberError if it has, or is disabled."""
    _check_is_open(member)
    if member.disabled_at is not None:
        raise MemberError(_("Enable the account first."))
    _send(member)


@transaction.atomic
def withdraw(member: Member, *, by: Member | None) -> None:
    """Withdraw the invitation of a member who has not signed in: the link stops working, and the address is free again.

    Raises MemberError when `by` may not change the member. The user stays, deactivated and without its address: the
    audit log names users.
    """
    members.check_may_change(member, by)
    _check_is_open(member)
    user = member.user
    member.delete()
    user.username, user.email, user.is_active = f"withdrawn-{user.pk}", "", False
    user.save()


def announce(*, at: datetime) -> int:
    """Tell the main accounts of merchants whom the platform invited. Return how many members were announced.

    A member is announced as soon as the merchant has another main account that has signed in: the first main account
    when the second comes. It is claimed before the mail is sent, so that two workers do not both send it. If the mail
    server fails it is tried again by the next sweep.
    """
    readers = _main_accounts().filter(merchant=OuterRef("merchant")).exclude(pk=OuterRef("pk"))
    waiting = Member.objects.filter(Exists(readers), announced_at=None).order_by("pk")
    claimed = [each for each in waiting.select_related("user", "merchant") if _claim(each, at)]
    return sum(_announce(member) for member in claimed)


def _main_accounts() -> QuerySet[Member]:
    return members.enabled().filter(role=Role.MAIN, user__last_login__isnull=False)


def _claim(member: Member, at: datetime) -> bool:
    return bool(Member.objects.filter(pk=member.pk, announced_at=None).update(announced_at=at))


def _announce(member: Member) -> bool:
    readers = _main_accounts().filter(merchant=member.merchant_id).exclude(pk=member.pk)
    try:
        for reader in readers.select_related("user"):
            _send_notice(member, to=reader)
    except (OSError, SMTPException) as error:
        logger.warning("The invitation of member %s could not be announced: %s", member.pk, error)
        Member.objects.filter(pk=member.pk).update(announced_at=None)
        return False
    return True


def _send_notice(member: Member, *, to: Member) -> None:
    with translation.override(to.language):
        link = urljoin(settings.SITE_URL, reverse("team"))
        subject = _("The platform invited a member of your team")
        body = render_to_string("mail/member_added.txt", {"member": member, "link": link})
    send_mail(subject, body, None, [to.user.email])


def _check_is_open(member: Member) -> None:
    if member.user.last_login is not None:
        raise MemberError(_("This person has accepted the invitation already."))


def _send(member: Member) -> None:
    with translation.override(member.language):
        context = {"member": member, "link": password_link(member.user)}
        subject, body = _("You are invited to see your benefits"), render_to_string("mail/invitation.txt", context)
    try:
        send_mail(subject, body, None, [member.user.email])
    except (OSError, SMTPException) as error:
        raise MemberError(_("The invitation could not be sent; try again later.")) from error
