"""Users and roles. Administrators assign roles, and nothing beyond the existing roles."""

import secrets
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from core import clock
from core.admin import ReadOnlyAdmin
from core.lists.admin import ListAdmin
from identity import mfa, password_reset, role_requests, security_log, sessions
from identity.models import RoleRequest
from identity.role_requests import RoleRequestError
from identity.tasks import send_password_resets

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)  # whose page would show the secrets


class NewUserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Name and address of a new user, who chooses the password by a link: nobody else ever knows it."""

    email = forms.EmailField(label=_("Email address"), max_length=254)

    class Meta:
        model = User
        fields = ("username", "email")

    def save(self, commit: bool = True) -> User:
        self.instance.set_password(secrets.token_urlsafe(32))  # a reset link needs a usable password
        user: User = super().save(commit)
        return user


@admin.register(User)
class WorkspaceUserAdmin(ListAdmin, UserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Users. Only superusers assign single permissions, passwords and addresses, and change other superusers.

    Names are fixed after creation: the records of who wrote and who approved name users.
    """

    list_display = ("username", "email", "roles", "is_staff", "is_active", "last_login")
    list_filter = ("groups", "is_staff", "is_active")
    actions = ("end_sessions", "remove_second_step", "send_reset_link")

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """End the sessions of the selected users that the user may change."""
        ended = 0
        for user in self._mine(request, chosen):
            ended += sessions.end(user, keep=request.session.session_key)
            self.log_change(request, user, "ended all sessions")
            security_log.record("sessions ended", user, request=request, by=cast(User, request.user))
        messages.info(request, ngettext("%(n)d session ended.", "%(n)d sessions ended.", ended) % {"n": ended})

    @admin.action(description=_("Remove two-factor authentication (lost phone)"), permissions=["change"])
    def remove_second_step(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Remove the two-factor authentication of the selected users and end their sessions.

        Users whose role requires it set it up again at the next sign-in. Administrators cannot remove their own here:
        that takes the password and a code.
        """
        done = [user for user in self._mine(request, chosen) if user != request.user]
        for user in done:
            mfa.disable(user)
            sessions.end(user, keep=request.session.session_key)
            self.log_change(request, user, "removed the second step")
            security_log.record("second factor removed", user, request=request, by=cast(User, request.user))
        text = ngettext(
            "Two-factor authentication of %(n)d user removed.",
            "Two-factor authentication of %(n)d users removed.",
            len(done),
        )
        messages.info(request, text % {"n": len(done)})

    @admin.action(description=_("Send a link to choose a new password"), permissions=["change"])
    def send_reset_link(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Mail a link to the selected users that the user may change."""
        users = [user for user in self._mine(request, chosen) if user.email]
        for user in users:
            password_reset.request_link_for(user, language=get_language() or "en", at=clock.real())
            self.log_change(request, user, "sent a link to choose a new password")
        transaction.on_commit(send_password_resets.delay)
        messages.info(request, ngettext("%(n)d link is sent.", "%(n)d links are sent.", len(users)) % {"n": len(users)})

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Let superusers set the password of others. One's own takes the old password, on the page for it.

        An administrator who could set the password of an approver could approve its own draft: it sends a link.
        """
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("password-change")
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def _mine(self, request: HttpRequest, chosen: QuerySet[User]) -> list[User]:
        """Return the selected users that the user may change."""
        return [user for user in chosen if self.has_change_permission(request, user)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        """Return the names of the user's groups."""
        return ", ".join(sorted(group.name for group in user.groups.all()))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        mine = super().get_readonly_fields(request, obj)
        name = ("username",) if obj else ()
        if request.user.is_superuser:
            return (*mine, *name)
        # Whoever reads the mail at that address can choose the password.
        address = ("email",) if obj else ()
        return (*mine, *name, "is_superuser", "user_permissions", *address)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None and not request.user.is_superuser:
            return ((None, {"fields": NewUserForm.Meta.fields}),)
        return super().get_fieldsets(request, obj)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None and not request.user.is_superuser:
            kwargs["form"] = NewUserForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the user; a new one gets a link to choose its password, unless a superuser set one."""
        super().save_model(request, obj, form, change)
        if isinstance(form, NewUserForm):
            password_reset.request_link_for(obj, language=get_language() or "en", at=clock.real())
            transaction.on_commit(send_password_resets.delay)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the roles. New ones that approve or make users wait for a second administrator.

        So do those of a user who is activated or gets the staff status again: its roles had no effect meanwhile.
        """
        user, by = form.instance, cast(User, request.user)
        returns = any(name in form.changed_data and form.cleaned_data.get(name) for name in ("is_active", "is_staff"))
        before = set() if returns else set(user.groups.all())
        super().save_related(request, form, formsets, change)
        if by.is_superuser:
            return
        held = role_requests.hold_back(user, set(user.groups.all()) - before, by=by, at=clock.real())
        if held:
            self.log_change(request, user, f"requested the roles {', '.join(role.name for role in held)}")
            text = _("%(roles)s: takes effect when a second administrator confirms it under “Roles to confirm”.")
            messages.warning(request, text % {"roles": ", ".join(role.name for role in held)})

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: the audit log names users, so they are deactivated instead."""
        return False


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin, GroupAdmin):
    """Roles, read-only: `backoffice.roles` defines them."""

    search_texts = ("name",)


@admin.register(RoleRequest)
class RoleRequestAdmin(ReadOnlyAdmin):
    """Roles that wait for a second administrator."""

    list_display = ("user", "address", "role", "requested_by", "requested_at")
    list_select_related = ("user", "role", "requested_by")
    actions = ("confirm", "withdraw")
    ordering = ("pk",)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may confirm and withdraw requests."""
        return request.user.has_perm("auth.change_user")

    @admin.display(description=_("email address"))
    def address(self, request: RoleRequest) -> str:
        return request.user.email

    @admin.action(description=_("Confirm: the roles take effect"), permissions=["decide"])
    def confirm(self, request: HttpRequest, chosen: QuerySet[RoleRequest]) -> None:
        by, done = cast(User, request.user), 0
        for each in chosen:
            user, text = each.user, f"confirmed the role {each.role.name}, requested by {each.requested_by}"
            try:
                role_requests.confirm(each, by=by)
            except RoleRequestError as error:
                messages.warning(request, str(error))
                continue
            log_user_change(by, user, text)
            security_log.record("role confirmed", user, request=request, by=by)
            done += 1
        messages.info(request, ngettext("%(n)d role confirmed.", "%(n)d roles confirmed.", done) % {"n": done})

    @admin.action(description=_("Withdraw: nobody gets the roles"), permissions=["decide"])
    def withdraw(self, request: HttpRequest, chosen: QuerySet[RoleRequest]) -> None:
        for each in chosen:
            log_user_change(cast(User, request.user), each.user, f"withdrew the role {each.role.name}")
            role_requests.withdraw(each)


def log_user_change(by: User, user: User, text: str) -> None:
    """Write an entry to the history of a user."""
    LogEntry.objects.log_actions(by.pk, [user], CHANGE, change_message=text, single_object=True)
