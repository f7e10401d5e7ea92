"""Roles that take effect only when a second administrator confirms them.

A person who may approve the work of others must not be the creation of one person: an administrator could otherwise
make a second user and approve its own draft with it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils.translation import gettext as _

from identity.models import RoleRequest

CONFIRMED = frozenset(("approve_draft", "approve_revocation", "approve_block", "close_period", "change_user"))
"""Permissions of the roles that need a confirmation: those that approve, and those that make users."""


class RoleRequestError(Exception):
    """The request cannot be confirmed by this user; the text says why. Nothing was changed."""


def needing_confirmation(roles: Iterable[Group]) -> list[Group]:
    """Return those of `roles` that give one of the permissions in `CONFIRMED`."""
    keys = [role.pk for role in roles]
    return list(Group.objects.filter(pk__in=keys, permissions__codename__in=CONFIRMED).distinct().order_by("pk"))


@transaction.atomic
def hold_back(user: User, roles: Iterable[Group], *, by: User, at: datetime) -> list[Group]:
    """Take from the user those of the `roles` that need a confirmation, and request them. Return them."""
    held = needing_confirmation(roles)
    user.groups.remove(*held)
    for role in held:
        RoleRequest.objects.get_or_create(user=user, role=role, defaults={"requested_by": by, "requested_at": at})
    return held


@transaction.atomic
def confirm(request: RoleRequest, *, by: User) -> None:
    """Give the user the requested role.

    Raises RoleRequestError if `by` made the request or would get the role, or if it was decided before.
    """
    row = RoleRequest.objects.select_for_update(of=("self",)).select_related("user", "role").filter(pk=request.pk)
    found = row.first()
    if found is None:
        raise RoleRequestError(_("This request was decided before."))
    if by.pk in (found.requested_by_id, found.user_id):
        raise RoleRequestError(_("Another administrator than the one who gave the role must confirm it."))
    found.user.groups.add(found.role)
    found.delete()


def withdraw(request: RoleRequest) -> None:
    """Withdraw a request. The user does not get the role."""
    RoleRequest.objects.filter(pk=request.pk).delete()
