"""Who may do what at the operators' desk: four groups, made with the tables, each with exactly these permissions."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

ROOMS = ("campaigns", "merchants", "trade", "logistics", "imports", "core")
FACTS = (
    "merchant account membership servicepackage penalty referencevalue tradeorder receipt financingdraw freightorder "
    "freighttemplate"
).split()

OPERATOR = (
    *(f"add_{name}" for name in FACTS),
    "add_draft", "change_draft", "launch_draft", "change_offer", "change_grant", "revoke_grant", "add_simulation",
    "change_tickstep", "add_member", "change_member", "see_as_member",
)  # fmt: skip
APPROVER = ("approve_draft", "approve_revocation", "close_period")
ADMINISTRATOR = (
    *OPERATOR, *APPROVER, "change_apikey", "add_endpoint", "change_endpoint", "change_democlock", "view_user",
    "add_user", "change_user", "view_group",
)  # fmt: skip
# A viewer sees everything of the rooms; the others do too, and more.
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": (),
    "operator": OPERATOR,
    "approver": APPROVER,
    "administrator": ADMINISTRATOR,
}


def establish(**_signal: object) -> None:
    """Give each group its permissions, no more and no fewer. After every migration, when all of them are there."""
    if not apps.is_installed("django.contrib.auth"):
        return
    seeing = Permission.objects.filter(content_type__app_label__in=ROOMS, codename__startswith="view_")
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(seeing | _named(codenames))


def _named(codenames: Iterable[str]) -> "Permission.objects":  # type: ignore[valid-type]
    return Permission.objects.filter(Q(content_type__app_label__in=(*ROOMS, "auth")), codename__in=codenames)
