"""Users and their roles: an administrator gives roles, and never more than the roles there are."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.admin import ReadOnlyAdmin
from identity import mfa, sessions

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)  # whose page would show the secrets


@admin.register(User)
class WorkspaceUserAdmin(UserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Only who holds all rights gives rights one by one, or touches somebody who holds them all."""

    list_display = ("username", "email", "roles", "is_staff", "is_active", "last_login")
    list_filter = ("groups", "is_staff", "is_active")
    actions = ("end_sessions", "remove_second_step")

    @admin.action(description=_("Sign out everywhere, at once"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """End the sessions of each, save of those whom one may not change."""
        ended = 0
        for user in self._mine(request, chosen):
            ended += sessions.end(user, keep=request.session.session_key)
            self.log_change(request, user, "ended all sessions")
        messages.info(request, ngettext("%(n)d session ended.", "%(n)d sessions ended.", ended) % {"n": ended})

    @admin.action(description=_("Remove the second step: the telephone was lost"), permissions=["change"])
    def remove_second_step(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Have each sign in by password alone, and everywhere anew; who needs a second step sets it up again.

        Not one's own: that takes the password and a code, as for everybody.
        """
        done = [user for user in self._mine(request, chosen) if user != request.user]
        for user in done:
            mfa.disable(user)
            sessions.end(user, keep=request.session.session_key)
            self.log_change(request, user, "removed the second step")
        text = ngettext("Second step of %(n)d user removed.", "Second step of %(n)d users removed.", len(done))
        messages.info(request, text % {"n": len(done)})

    def _mine(self, request: HttpRequest, chosen: QuerySet[User]) -> list[User]:
        """Those of the chosen whom one may change."""
        return [user for user in chosen if self.has_change_permission(request, user)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        """The groups, which are the roles."""
        return ", ".join(sorted(group.name for group in user.groups.all()))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        mine = super().get_readonly_fields(request, obj)
        return mine if request.user.is_superuser else (*mine, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: their name stands in the record. They are made inactive."""
        return False


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin, GroupAdmin):
    """The roles, to look at: they are made with the tables."""
