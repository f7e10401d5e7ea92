"""Members of merchants: invite, limit, disable and enable.

`by` is the member who acts: a main account may change the sub-accounts of its merchant. None is the platform, which may
change every member.
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

from identity import sessions
from merchants.models import Member, Merchant, calendar_key

Role = Member.Role
TOPICS = ("granted", "issued", "expiring", "refused", "revoked", "progress")
"""Topics of messages; `campaigns.models.Message` lists the events of each."""
BY_MAIL = ("issued", "expiring", "refused", "revoked")
"""Topics that a new member receives by mail."""


class MemberError(Exception):
    """Raised when a member cannot be invited or changed. Its text is the reason; nothing was changed."""


@transaction.atomic
def invite(
    email: str, *, to: Merchant, role: str = Role.SUB, may_attach: bool = True, language: str, at: datetime, by: str
) -> Member:
    """Add a member of the merchant and mail a link to choose a password.

    Raises MemberError, and adds nobody, when the address is in use or the mail cannot be sent.
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
    """Add a member of the merchant who signs in by e-mail address and has no password yet.

    Raises MemberError when the address is in use.
    """
    users = get_user_model()
    name = BaseUserManager.normalize_email(email.strip()).lower()
    if users._default_manager.filter(username=name).exists():
        raise MemberError(_("%(email)s cannot be invited: the address is in use.") % {"email": name})
    user = users._default_manager.create_user(username=name, email=name)
    return Member.objects.create(
        user=user,
        merchant=to,
        role=role,
        may_attach=may_attach or role == Role.MAIN,
        language=language,
        shown=list(TOPICS),
        mailed=list(BY_MAIL),
        invited_at=at,
        invited_by=by,
    )


def send_invitation(member: Member) -> None:
    """Mail a link to choose the first password. Raises MemberError when the mail cannot be sent."""
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
    """Set whether a sub-account may attach coupons. Raises MemberError when `by` may not change the member."""
    _check(member, by)
    Member.objects.filter(pk=member.pk).update(may_attach=may_attach)
    member.may_attach = may_attach


def disable(member: Member, *, at: datetime, by: Member | None) -> None:
    """Disable a member: its sessions end and its calendar's address stops working.

    Raises MemberError when `by` may not change it. An operator who is also a member keeps its sessions.
    """
    _check(member, by)
    if not member.user.is_staff:
        sessions.end(member.user)
    Member.objects.filter(pk=member.pk, disabled_at=None).update(disabled_at=at, calendar_key=calendar_key())
    member.refresh_from_db()


def enable(member: Member, *, by: Member | None) -> None:
    """Enable a disabled member. Raises MemberError when `by` may not change the member."""
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
    """Give the member's calendar a new address; the old one stops working."""
    member.calendar_key = calendar_key()
    member.save(update_fields=["calendar_key"])
