"""Admin of members and API keys. The pages of facts follow from their file schemas, see `imports.admin`."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy, ngettext

from core import clock
from core.admin import ReadOnlyAdmin
from merchants import invitations, members
from merchants.members import MemberError
from merchants.models import AccessChange, ApiKey, Member


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Invitation of a person to act for a merchant."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=150)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = Member
        fields = ("email", "merchant", "role", "may_attach", "language")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Members: invited, disabled and enabled here. They change their preferences themselves."""

    list_display = ("user", "merchant", "role", "may_attach", "invited_by", "invited_at", "disabled_at")
    list_select_related = ("user",)
    list_filter = ("role", "may_attach")
    search_texts = ("user__username",)
    search_related = ("merchant",)
    actions = ("disable", "enable", "withdraw")
    fields = (
        "user",
        "merchant_code",
        "role",
        "may_attach",
        "language",
        "zone",
        "invited_by",
        "invited_at",
        "disabled_at",
    )
    raw_id_fields = ("merchant",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("merchants.add_member")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may disable and enable members; Django asks this for the actions."""
        return request.user.has_perm("merchants.change_member")

    def get_fields(self, request: HttpRequest, obj: Member | None = None) -> Any:
        return super().get_fields(request, obj) if obj else InvitationForm.Meta.fields

    def get_form(self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs: object) -> Any:
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except MemberError as error:
            messages.error(request, str(error))
            return redirect("admin:merchants_member_add")

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Member:
        data = {name: form.cleaned_data[name] for name in ("email", "role", "may_attach", "language")}
        merchant, by = form.cleaned_data["merchant"], cast(User, request.user)
        invitations.count(data["email"], by=by, at=clock.real())
        member = invitations.invite(**data, to=merchant, at=clock.now(), by=by)
        text = f"invited {member.user.email} as {member.role}"
        LogEntry.objects.log_actions(by.pk, [merchant], CHANGE, change_message=text, single_object=True)
        return member

    def save_model(self, request: HttpRequest, obj: Member, form: object, change: bool) -> None:
        """Do nothing: `save_form` has saved the invited member."""

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Do nothing: an invitation has no related objects."""

    @admin.action(description=gettext_lazy("Disable: end their sessions at once"), permissions=["manage"])
    def disable(self, request: HttpRequest, selected: QuerySet[Member]) -> None:
        now = clock.now()
        self._each(request, selected.filter(disabled_at=None), lambda member: members.disable(member, at=now, by=None))

    @admin.action(description=gettext_lazy("Enable: they may sign in again"), permissions=["manage"])
    def enable(self, request: HttpRequest, selected: QuerySet[Member]) -> None:
        self._each(request, selected.exclude(disabled_at=None), lambda member: members.enable(member, by=None))

    @admin.action(description=gettext_lazy("Withdraw invitations that nobody accepted"), permissions=["manage"])
    def withdraw(self, request: HttpRequest, selected: QuerySet[Member]) -> None:
        waiting = selected.filter(user__last_login=None).select_related("user")
        self._each(request, waiting, lambda member: invitations.withdraw(member, by=None))

    def _each(self, request: HttpRequest, selected: QuerySet[Member], verb: Callable[[Member], None]) -> None:
        done = 0
        for member in selected:
            # Logged before: a withdrawn invitation has no number afterwards.
            self.log_change(request, member, [{"changed": {"fields": ["disabled_at"]}}])
            verb(member)
            done += 1
        text = ngettext("%(n)d member changed.", "%(n)d members changed.", done) % {"n": done}
        messages.info(request, text)


@admin.register(AccessChange)
class AccessChangeAdmin(ReadOnlyAdmin):
    """Actions of programs on API keys and webhooks. Actions of people are in the history of each object."""

    list_display = ("at", "by", "verb", "kind", "target", "merchant_code")
    list_select_related = ("by",)
    list_filter = ("verb", "kind")
    search_codes = ("target", "by__prefix")
    search_related = ("merchant",)
    ordering = ("-pk",)
    fields = ("at", "by", "verb", "kind", "target", "merchant_code", "details")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys without their secrets. *Settings → API keys* issues, rotates and revokes them."""

    list_display = ("prefix", "name", "merchant", "scopes", "created_at", "expires_at", "revoked_at", "used_at")
    search_codes = ("prefix",)
    search_texts = ("name",)
    search_related = ("merchant",)
    fields = (
        "prefix",
        "name",
        "merchant_code",
        "scopes",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "used_at",
    )
