"""Settings about people: who works here, what each role may do, and for how long records are kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_totp.models import TOTPDevice

from backoffice.data.users import log_user_change
from backoffice.rendering import has_permissions, render_confirmation, render_page, staff_view
from identity import mfa, security_log, sessions
from imports import upload_jobs


@dataclass(frozen=True)
class Role:
    """Role in plain words."""

    name: str
    title: Promise
    text: Promise
    may: tuple[Promise, ...]
    may_not: tuple[Promise, ...] = ()


ROLES = (
    Role(
        "viewer",
        gettext_lazy("Viewer"),
        gettext_lazy("Looks at everything and changes nothing."),
        (gettext_lazy("See offers, claims, benefits, coupons, merchants, statements and the audit log"),),
        (gettext_lazy("Change anything"),),
    ),
    Role(
        "operator",
        gettext_lazy("Operator"),
        gettext_lazy("Runs campaigns from day to day."),
        (
            gettext_lazy("Write and simulate drafts, submit them, and launch what was approved"),
            gettext_lazy("Pause, resume and stop offers"),
            gettext_lazy("Revoke single benefits within a daily limit, propose to revoke more"),
            gettext_lazy("Propose to block merchants"),
            gettext_lazy("Import data, review corrected benefits, retry paused jobs"),
            gettext_lazy("Invite the members of merchants, and see a dashboard as the merchant does"),
        ),
        (gettext_lazy("Approve anything"), gettext_lazy("Close a month"), gettext_lazy("Manage people or API keys")),
    ),
    Role(
        "approver",
        gettext_lazy("Approver"),
        gettext_lazy("The second person, for what others have prepared."),
        (
            gettext_lazy("Approve or return drafts, approve revocations and blocks, lift blocks"),
            gettext_lazy("Close a month"),
        ),
        (
            gettext_lazy("Approve what they wrote, submitted or proposed themselves"),
            gettext_lazy("Write drafts or change offers"),
        ),
    ),
    Role(
        "administrator",
        gettext_lazy("Administrator"),
        gettext_lazy("Everything that operators and approvers may, and the settings."),
        (
            gettext_lazy("Invite and deactivate people, and give roles"),
            gettext_lazy("Create, rotate and revoke API keys, and register webhooks"),
        ),
        (
            gettext_lazy("Approve what they wrote, submitted or proposed themselves"),
            gettext_lazy("Give the role of approver or administrator without a second administrator"),
            gettext_lazy("Set the passwords of others"),
        ),
    ),
)


@staff_view("view_offer", methods=("GET", "HEAD"))
def role_list(request: HttpRequest) -> HttpResponse:
    """Show each role in plain words, the rules of two persons, and who has it, to those who may see people."""
    may_see = has_permissions(request, "auth.view_user")
    active = Prefetch("user_set", User.objects.filter(is_active=True, is_staff=True).order_by("username"), "people")
    people: dict[str, list[User]] = {}
    if may_see:
        people = {group.name: cast(Any, group).people for group in Group.objects.prefetch_related(active)}
    return render_page(
        request,
        "roles",
        title=_("Roles"),
        roles=[(role, people.get(role.name, [])) for role in ROLES],
        may_see=may_see,
        alone=settings.REVOCATIONS_ALONE,
        value=settings.REVOCATION_VALUE_ALONE,
    )


@staff_view("auth.view_user", methods=("GET", "HEAD"))
def people_list(request: HttpRequest) -> HttpResponse:
    """List the operators with their roles, last sign-in and second factor, active ones first. Two queries."""
    device = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    people = (
        User.objects.filter(is_staff=True)
        .prefetch_related(Prefetch("groups", Group.objects.order_by("name")))
        .annotate(has_device=Exists(device))
    )
    ordered, may_change = people.order_by("-is_active", "username"), has_permissions(request, "auth.change_user")
    return render_page(
        request,
        "people",
        title=_("People"),
        people=[(user, may_change and _may_deactivate(request, user)) for user in ordered],
        may_invite=has_permissions(request, "auth.add_user"),
        may_change=may_change,
        must_have_device=mfa.is_required_for(cast(User, request.user)),
    )


def _may_deactivate(request: HttpRequest, user: User) -> bool:
    is_protected = user.is_superuser and not request.user.is_superuser
    return user.is_active and user != request.user and not is_protected


@staff_view("auth.change_user")
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Deactivate an operator after a confirmation: the sessions end, and the name stays in all records."""
    user = get_object_or_404(User, pk=pk, is_staff=True)
    if not _may_deactivate(request, user):
        raise PermissionDenied
    back, name = reverse("backoffice:people"), {"name": user.get_username()}
    if request.method != "POST":
        effects = [
            _("%(name)s cannot sign in any more, and is signed out everywhere at once.") % name,
            _("What %(name)s did stays in all records. An administrator can activate the account again.") % name,
        ]
        title = _("Deactivate %(name)s") % name
        return render_confirmation(
            request, title=title, effects=effects, button=_("Deactivate"), back=back, destructive=True
        )
    by = cast(User, request.user)
    with transaction.atomic():
        user.is_active = False
        user.save(update_fields=["is_active"])
        sessions.end(user)
        log_user_change(by, user, "deactivated")
    security_log.record("user deactivated", user, request=request, by=by)
    messages.success(request, _("%(name)s is deactivated.") % name)
    return redirect(back)


@staff_view("view_offer", methods=("GET", "HEAD"))
def retention(request: HttpRequest) -> HttpResponse:
    """Show what is kept for how long, as the code does it."""
    hours = {name: int(value.total_seconds() // 3600) for name, value in _times().items()}
    idle = settings.SESSION_COOKIE_AGE // 60
    return render_page(request, "retention", title=_("Data retention"), hours=hours, idle=idle)


def _times() -> dict[str, timedelta]:
    return {
        "unconfirmed": upload_jobs.CONFIRM_WITHIN,
        "rejected": upload_jobs.KEEP_REJECTED_FOR,
        "session": timedelta(seconds=settings.SESSION_LIFETIME),
        "link": timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    }
