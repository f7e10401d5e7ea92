"""Facts about merchants, the imports they came with, and the people who act for merchants, in the admin."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy, ngettext

from core.admin import ReadOnlyAdmin
from imports.admin import UploadAdmin
from imports.models import ImportBatch, Upload
from merchants import api_keys, members
from merchants.members import MemberError
from merchants.models import ApiKey, Member

admin.site.register(Upload, UploadAdmin)


@admin.register(ImportBatch)
class BatchAdmin(ReadOnlyAdmin):
    """Each taking-in of facts, the latest first."""

    list_display = ("source", "recorded_at", "rows", "added", "changed", "future", "processed", "digest")
    list_filter = ("processed", "recorded_at")
    search_fields = ("source", "digest__startswith")
    ordering = ("-pk",)


def _now() -> datetime:
    now: datetime = import_string(settings.BUSINESS_CLOCK)()
    return now


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Whom the platform invites to act for which merchant."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=150)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = Member
        fields = ("email", "merchant", "role", "may_attach", "language")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Who signs in for which merchant. Added by an invitation; what members prefer is theirs to change."""

    list_display = ("user", "merchant_id", "role", "may_attach", "invited_by", "invited_at", "disabled_at")
    list_select_related = ("user",)
    list_filter = ("role", "may_attach")
    search_fields = ("user__username", "merchant__code__exact")
    actions = ("disable", "enable")
    fields = (
        "user",
        "merchant_id",
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
        """Who may shut members out and let them in."""
        return request.user.has_perm("merchants.change_member")

    def get_fields(self, request: HttpRequest, obj: Member | None = None) -> Any:
        return super().get_fields(request, obj) if obj else InvitationForm.Meta.fields

    def get_form(self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except MemberError as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:merchants_member_add")

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Member:
        data = {name: form.cleaned_data[name] for name in ("email", "role", "may_attach", "language")}
        return members.invite(**data, to=form.cleaned_data["merchant"], at=_now(), by=request.user.get_username())

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        """Nothing: it is saved when it is invited."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing either."""

    @admin.action(description=gettext_lazy("Disable: end their sessions at once"), permissions=["manage"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        now = _now()
        self._each(request, chosen.filter(disabled_at=None), lambda member: members.disable(member, at=now, by=None))

    @admin.action(description=gettext_lazy("Let in again"), permissions=["manage"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        self._each(request, chosen.exclude(disabled_at=None), lambda member: members.enable(member, by=None))

    def _each(self, request: HttpRequest, chosen: QuerySet[Member], verb: Callable[[Member], None]) -> None:
        done = 0
        for member in chosen:
            verb(member)
            self.log_change(request, member, [{"changed": {"fields": ["disabled_at"]}}])
            done += 1
        text = ngettext("%(n)d member changed.", "%(n)d members changed.", done) % {"n": done}
        messages.info(request, text)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Programs' keys, without their secrets. They are made by `manage.py issue_key`, and revoked here."""

    list_display = ("prefix", "name", "merchant_id", "scopes", "created_at", "expires_at", "revoked_at", "used_at")
    search_fields = ("prefix__startswith", "name", "merchant__code__exact")
    actions = ("revoke",)
    fields = (
        "prefix", "name", "merchant_id", "scopes", "created_at", "created_by", "expires_at", "revoked_at", "used_at",
    )  # fmt: skip

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may make keys useless."""
        return request.user.has_perm("merchants.change_apikey")

    @admin.action(description=gettext_lazy("Revoke: useless from now on"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        for key in chosen.filter(revoked_at=None):
            api_keys.revoke(key, at=timezone.now())
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
