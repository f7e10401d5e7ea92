"""Who may do what at the operators' desk: four groups, made with the tables, each with exactly these permissions."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission

from imports.registry import all_schemas

# Apps whose objects every role sees, besides the apps of facts.
ROOMS = ("campaigns", "merchants", "imports", "core")

OPERATOR = (
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
    """Give each group its permissions, no more and no fewer. Called after every migration, when all of them exist.

    Operators may also add facts of every kind that has a file schema.
    """
    if not apps.is_installed("django.contrib.auth"):
        return
    facts = [schema.model._meta for schema in all_schemas()]
    rooms = {*ROOMS, *(meta.app_label for meta in facts)}
    importing = [f"add_{meta.model_name}" for meta in facts]
    seeing = Permission.objects.filter(content_type__app_label__in=rooms, codename__startswith="view_")
    for name, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        more = importing if "add_draft" in codenames else []
        named = Permission.objects.filter(
            content_type__app_label__in=(*rooms, "auth"), codename__in=(*codenames, *more)
        )
        group.permissions.set(seeing | named)
