"""Members of merchants: add, limit, disable and enable; the secret of a member's calendar.

`by` is the member who acts: a main account may change the sub-accounts of its merchant. None is the platform, which may
change every member. `merchants.invitations` invites them.
"""

import secrets
from datetime import datetime
from hashlib import sha256

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from identity import sessions
from merchants.models import Account, Member, Merchant

Role = Member.Role
TOPICS = ("granted", "issued", "expiring", "refused", "revoked", "progress")
"""Topics of messages; `campaigns.models.Message` lists the events of each."""
BY_MAIL = ("issued", "expiring", "refused", "revoked")
"""Topics that a new member receives by mail."""


class MemberError(Exception):
    """Raised when a member cannot be invited or changed. Its text is the reason; nothing was changed."""


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
    """Add a member who signs in by e-mail and has no password yet. Raises MemberError if the address is in use."""
    return Member.objects.create(
        user=_create_user(email),
        merchant=to,
        role=role,
        may_attach=may_attach or role == Role.MAIN,
        language=language,
        shown=list(TOPICS),
        mailed=list(BY_MAIL),
        invited_at=at,
        invited_by=by,
        announced_at=at,
    )


def enabled() -> QuerySet[Member]:
    """Return the members who may see their merchant: neither they nor their users are disabled."""
    return Member.objects.filter(disabled_at=None, user__is_active=True)


def _create_user(email: str) -> User:
    name = BaseUserManager.normalize_email(email.strip()).lower()
    if User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).exists():
        raise MemberError(_("%(email)s cannot be invited: the address is in use.") % {"email": name})
    return User.objects.create_user(username=name, email=name)


def is_mailbox_of(user: User, email: str) -> bool:
    """Return True if the address is one of the user's mailbox, in any case and with any tag after a plus sign."""
    return _mailbox(email) in {_mailbox(user.email), _mailbox(user.get_username())}


def _mailbox(email: str) -> str:
    name, _at, domain = email.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def limit(member: Member, *, may_attach: bool, by: Member | None) -> None:
    """Set whether a sub-account may attach coupons. Raises MemberError when `by` may not change the member."""
    check_may_change(member, by)
    Member.objects.filter(pk=member.pk).update(may_attach=may_attach)
    member.may_attach = may_attach


def disable(member: Member, *, at: datetime, by: Member | None) -> None:
    """Disable a member: its sessions end and its calendar's address stops working.

    Raises MemberError when `by` may not change it. An operator who is also a member keeps its sessions.
    """
    check_may_change(member, by)
    if not member.user.is_staff:
        sessions.end(member.user)
    Member.objects.filter(pk=member.pk, disabled_at=None).update(disabled_at=at, calendar_digest=None)
    member.refresh_from_db()


def enable(member: Member, *, by: Member | None) -> None:
    """Enable a disabled member. Raises MemberError when `by` may not change the member."""
    check_may_change(member, by)
    Member.objects.filter(pk=member.pk).update(disabled_at=None)
    member.disabled_at = None


def check_may_change(member: Member, by: Member | None) -> None:
    """Raise MemberError when `by` may not change the member."""
    if by is None:
        return
    if by.role != Role.MAIN or by.disabled_at or by.merchant_id != member.merchant_id:
        raise MemberError(_("Only a main account of the merchant can do that."))
    if member.role == Role.MAIN:
        raise MemberError(_("A main account can be changed by the platform only."))


def renew_calendar(member: Member) -> str:
    """Return a new secret of 128 random bits for the address of the member's calendar; the old one stops working.

    Only its hash is stored, so the secret cannot be shown again.
    """
    secret = secrets.token_urlsafe(16)
    member.calendar_digest = _digest(secret)
    member.save(update_fields=["calendar_digest"])
    return secret


def find_by_calendar(secret: str) -> Member | None:
    """Return the member with that secret in its calendar's address, None if it or its user is disabled."""
    return enabled().filter(calendar_digest=_digest(secret)).select_related("merchant").first()


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def account_of(member: Member | None) -> Account | None:
    """Return the account by which a member acts: the first of its merchant with the member's role."""
    if member is None:
        return None
    return Account.objects.filter(merchant=member.merchant_id, role=member.role).order_by("pk").first()
