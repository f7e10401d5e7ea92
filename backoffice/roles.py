"""The four roles of the operators' workspace. Each is a group with exactly the permissions named here."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models.options import Options

from imports.registry import all_schemas

# Apps whose objects every role may view, besides the apps of facts.
APP_LABELS = ("campaigns", "merchants", "imports", "core")

OPERATOR = tuple(
    "add_draft change_draft launch_draft change_offer change_grant revoke_grant add_simulation change_tickstep "
    "change_quarantineentry add_member change_member see_as_member add_storedmapping change_storedmapping "
    "block_merchant write_to_merchant".split()
)
APPROVER = ("approve_draft", "approve_revocation", "approve_block", "close_period")
ADMINISTRATOR = (
    *OPERATOR,
    *APPROVER,
    *"change_apikey add_endpoint change_endpoint change_democlock view_user add_user change_user view_group "
    "view_rolerequest".split(),
)


def permissions_by_role() -> dict[str, tuple[str, ...]]:
    """Return the permissions of each role beyond viewing, which every role may.

    Who may draft offers may also import facts of every kind that has a file schema.
    """
    importing = tuple(f"add_{meta.model_name}" for meta in _facts())
    return {
        "viewer": (),
        "operator": (*OPERATOR, *importing),
        "approver": APPROVER,
        "administrator": (*ADMINISTRATOR, *importing),
    }


def sync_groups(**_signal: object) -> None:
    """Create the groups and give each its permissions, no more and no fewer. Runs after every migration."""
    if not apps.is_installed("django.contrib.auth"):
        return
    labels = {*APP_LABELS, *(meta.app_label for meta in _facts())}
    viewing = Permission.objects.filter(content_type__app_label__in=labels, codename__startswith="view_")
    for name, codenames in permissions_by_role().items():
        group, _ = Group.objects.get_or_create(name=name)
        acting = Permission.objects.filter(
            content_type__app_label__in=(*labels, "auth", "identity"), codename__in=codenames
        )
        group.permissions.set(viewing | acting)


def _facts() -> "list[Options[Any]]":
    return [schema.model._meta for schema in all_schemas()]
