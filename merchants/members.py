"""Members: the only place where people are invited to act for a merchant, limited, disabled and let in again.

Where a verb asks `by` whom, a main account may change the sub-accounts of its merchant; None is the platform, which may
change any.
"""

from datetime import datetime
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from merchants.models import Member, Merchant, calendar_key

Role = Member.Role
TOPICS = ("granted", "issued", "expiring", "refused", "revoked", "progress")
"""What members can be told of; `campaigns.models.Message` says which events each holds."""
BY_MAIL = ("issued", "expiring", "refused", "revoked")
"""What a new member is told of by mail until it says otherwise."""


class MemberError(Exception):
    """This cannot be done with a member; the text says why. Nothing was changed."""


@transaction.atomic
def invite(
    email: str, *, to: Merchant, role: str = Role.SUB, may_attach: bool = True, language: str, at: datetime, by: str
) -> Member:
    """Add a member of the merchant and mail the link under which it chooses a password.

    Raises MemberError where somebody signs in with that address already, or mail cannot be sent there. Then nobody was
    added.
    """
    member = add(email, to=to, role=role, may_attach=may_attach, language=language, at=at, by=by)
    send_invitation(member)
    return member


@transaction.atomic
def add(
    email: str,
    *,
    to: Merchant,
    role: str = Role.SUB,
    may_attach: bool = True,
    language: str = "zh-hans",
    at: datetime,
    by: str,
) -> Member:
    """Make a member of the merchant who signs in by e-mail address and has no password yet.

    Raises MemberError where somebody signs in with that address already.
    """
    users = get_user_model()
    name = BaseUserManager.normalize_email(email.strip()).lower()
    if users._default_manager.filter(username=name).exists():
        raise MemberError(_("%(email)s cannot be invited: the address is in use.") % {"email": name})
    user = users._default_manager.create_user(username=name, email=name)
    return Member.objects.create(
        user=user, merchant=to, role=role, may_attach=may_attach or role == Role.MAIN, language=language,
        shown=list(TOPICS), mailed=list(BY_MAIL), invited_at=at, invited_by=by,
    )  # fmt: skip


def send_invitation(member: Member) -> None:
    """Mail the link under which a member who never signed in chooses its password. Raises MemberError."""
    uid = urlsafe_base64_encode(force_bytes(member.user.pk))
    link = reverse("password-choose", args=[uid, default_token_generator.make_token(member.user)])
    with translation.override(member.language):
        context = {"member": member, "link": urljoin(settings.SITE_URL, link)}
        subject, body = _("You are invited to see your benefits"), render_to_string("mail/invitation.txt", context)
    try:
        send_mail(subject, body, None, [member.user.email])
    except OSError as error:
        raise MemberError(_("The invitation could not be sent; try again later.")) from error


def limit(member: Member, *, may_attach: bool, by: Member | None) -> None:
    """Say whether a sub-account may attach coupons or only look. Raises MemberError."""
    _check(member, by)
    Member.objects.filter(pk=member.pk).update(may_attach=may_attach)
    member.may_attach = may_attach


def disable(member: Member, *, at: datetime, by: Member | None) -> None:
    """Shut a member out: its sessions and its calendar end at once. Raises MemberError."""
    _check(member, by)
    Member.objects.filter(pk=member.pk, disabled_at=None).update(disabled_at=at, calendar_key=calendar_key())
    member.refresh_from_db()


def enable(member: Member, *, by: Member | None) -> None:
    """Let a disabled member in again. Raises MemberError."""
    _check(member, by)
    Member.objects.filter(pk=member.pk).update(disabled_at=None)
    member.disabled_at = None


def _check(member: Member, by: Member | None) -> None:
    if by is None:
        return
    if by.role != Role.MAIN or by.disabled_at or by.merchant_id != member.merchant_id:
        raise MemberError(_("Only a main account of the merchant can do that."))
    if member.role == Role.MAIN:
        raise MemberError(_("A main account can be changed by the platform only."))


def renew_calendar(member: Member) -> None:
    """Give the member's calendar a new address; the old one leads nowhere from now on."""
    member.calendar_key = calendar_key()
    member.save(update_fields=["calendar_key"])
