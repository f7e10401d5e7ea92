"""The four roles of the operators' workspace. Each is a group with exactly the permissions named here."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission

from imports.registry import all_schemas

# Apps whose objects every role may view, besides the apps of facts.
APP_LABELS = ("campaigns", "merchants", "imports", "core")

OPERATOR = tuple(
    "add_draft change_draft launch_draft change_offer change_grant revoke_grant add_simulation change_tickstep "
    "add_member change_member see_as_member".split()
)
APPROVER = ("approve_draft", "approve_revocation", "close_period")
ADMINISTRATOR = (
    *OPERATOR,
    *APPROVER,
    *"change_apikey add_endpoint change_endpoint change_democlock view_user add_user change_user view_group".split(),
)
# Every role may view everything; a viewer may do nothing else.
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": (),
    "operator": OPERATOR,
    "approver": APPROVER,
    "administrator": ADMINISTRATOR,
}


def sync_groups(**_signal: object) -> None:
    """Create the groups and give each its permissions, no more and no fewer. Runs after every migration.

    Operators and administrators may also add facts of every kind that has a file schema.
    """
    if not apps.is_installed("django.contrib.auth"):
        return
    facts = [schema.model._meta for schema in all_schemas()]
    labels = {*APP_LABELS, *(meta.app_label for meta in facts)}
    import_permissions = [f"add_{meta.model_name}" for meta in facts]
    viewing = Permission.objects.filter(content_type__app_label__in=labels, codename__startswith="view_")
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        more = import_permissions if "add_draft" in codenames else []
        acting = Permission.objects.filter(
            content_type__app_label__in=(*labels, "auth"), codename__in=(*codenames, *more)
        )
        group.permissions.set(viewing | acting)
