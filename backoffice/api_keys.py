"""API keys of programs: list, create, rotate and revoke. A key is shown once, on the page that answers its creation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from backoffice.rendering import actor, has_permissions, render_confirmation, render_page, staff_view
from backoffice.settings_forms import KeyForm
from campaigns.models import Endpoint
from campaigns.notifications import key_revocation
from campaigns.notifications.key_revocation import MadeWithKey
from core import clock
from merchants import api_keys
from merchants.models import ApiKey

OVERLAP = timedelta(hours=24)
"""Time for which a rotated key goes on working beside its successor."""
MANAGE = "merchants.change_apikey"


@dataclass(frozen=True)
class Line:
    """API key as the list shows it; `tone` is that of its state."""

    key: ApiKey
    scopes: str
    state: str
    tone: str
    is_active: bool


@staff_view("merchants.view_apikey", methods=("GET", "HEAD"))
def key_list(request: HttpRequest) -> HttpResponse:
    """List the API keys, those that work first, without their secrets."""
    lines = [_line(key) for key in ApiKey.objects.select_related("merchant").order_by("-pk")]
    lines.sort(key=lambda line: not line.is_active)
    return render_page(
        request, "api_keys", title=_("API keys"), lines=lines, may_manage=has_permissions(request, MANAGE)
    )


def _line(key: ApiKey) -> Line:
    labels = dict(ApiKey.Scope.choices)
    scopes = ", ".join(str(labels.get(scope, scope)) for scope in key.scopes)
    if key.revoked_at is not None:
        return Line(key, scopes, _("revoked"), "bad", is_active=False)
    if key.expires_at is not None and key.expires_at <= clock.real():
        return Line(key, scopes, _("expired"), "idle", is_active=False)
    return Line(key, scopes, _("active"), "ok", is_active=True)


@staff_view(MANAGE)
@sensitive_variables("secret")
def create(request: HttpRequest) -> HttpResponse:
    """Create a key and show it once."""
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _shown_once(request, *_issue(request, form.cleaned_data))
        except ValueError as refusal:
            form.add_error("merchant", str(refusal))
    return render_page(
        request,
        "settings_form",
        title=_("New API key"),
        form=form,
        button=_("Create key"),
        back=reverse("backoffice:api-keys"),
        parent=_("API keys"),
    )


@transaction.atomic
def _issue(request: HttpRequest, data: dict[str, Any]) -> tuple[ApiKey, str]:
    key, secret = api_keys.issue(
        data["name"],
        scopes=data["scopes"],
        merchant=data["merchant"],
        expires_at=data["expires_on"],
        at=clock.real(),
        by=actor(request),
    )
    _log(request, key, ADDITION, f"created with the scopes {', '.join(key.scopes)}")
    return key, secret


@staff_view(MANAGE)
@sensitive_variables("secret")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Create the successor of a key, which goes on working for a day, and show it once."""
    key = get_object_or_404(ApiKey, pk=pk, revoked_at=None)
    if request.method != "POST":
        return render_confirmation(
            request,
            title=_("Rotate %(name)s") % {"name": key.name},
            effects=[
                _("A new key with the same rights is created and shown once."),
                _("The old key goes on working for 24 hours, so that the program can change over."),
            ],
            button=_("Rotate key"),
            back=reverse("backoffice:api-keys"),
        )
    try:
        with transaction.atomic():
            successor, secret = api_keys.rotate(key, at=clock.real(), overlap=OVERLAP, by=actor(request))
            _log(request, key, CHANGE, f"rotated: {successor.prefix} succeeds it")
    except (api_keys.EndedError, ValueError) as refusal:
        messages.error(request, str(refusal) or _("This key has ended. Create a new one."))
        return redirect("backoffice:api-keys")
    return _shown_once(request, successor, secret)


@staff_view(MANAGE)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a key after a confirmation, with the keys and webhooks that programs made with it unless they stay."""
    key, back = get_object_or_404(ApiKey, pk=pk), reverse("backoffice:api-keys")
    title = _("Revoke %(name)s") % {"name": key.name}
    if request.method != "POST":
        found = key_revocation.made_with(key, at=clock.real(), among=_webhooks_in_reach(request))
        return render_confirmation(
            request,
            title=title,
            effects=[
                _("Programs that use this key are refused at once."),
                *_effects(found),
                _("This cannot be undone."),
            ],
            button=_("Revoke key"),
            back=back,
            form=RevocationForm() if found.can_end else None,
            destructive=True,
        )
    with transaction.atomic():
        key_revocation.revoke(
            key,
            at=clock.real(),
            noted=lambda ended: _log_end(request, ended, key),
            ends_made=bool(request.POST.get("made")),
            among=_webhooks_in_reach(request),
        )
    messages.success(request, _("The key %(name)s is revoked.") % {"name": key.name})
    return redirect(back)


class RevocationForm(forms.Form):
    """Choice to end what programs made with the key too."""

    made = forms.BooleanField(
        label=gettext_lazy("Revoke the keys it made, and disable the webhooks it registered"),
        required=False,
        initial=True,
    )


def _effects(found: MadeWithKey) -> list[str]:
    """Return one sentence for each kind of what was made with a key, with the names."""
    sentences = (
        (found.keys, _("Programs made API keys with it that still work: %(names)s.")),
        (found.webhooks, _("Programs registered webhooks with it: %(names)s.")),
        (found.changed, _("Programs changed other webhooks with it; check their addresses and secrets: %(names)s.")),
    )
    return [text % {"names": ", ".join(map(str, rows))} for rows, text in sentences if rows]


def _webhooks_in_reach(request: HttpRequest) -> "QuerySet[Endpoint]":
    return Endpoint.objects.all() if has_permissions(request, "change_endpoint") else Endpoint.objects.none()


def _log_end(request: HttpRequest, ended: ApiKey | Endpoint, key: ApiKey) -> None:
    """Log that a key was revoked, or that something ended with it."""
    if ended == key:
        text = "revoked"
    elif isinstance(ended, ApiKey):
        text = f"revoked with {key.prefix}, which made it"
    else:
        text = f"disabled: made by {key.prefix}, which is revoked"
    _log(request, ended, CHANGE, text)


def _shown_once(request: HttpRequest, key: ApiKey, secret: str) -> HttpResponse:
    """Answer with the key itself: no redirect, so that neither a session nor a later page ever holds it."""
    return render_page(
        request,
        "secret",
        title=_("API key %(name)s") % {"name": key.name},
        secret=secret,
        intro=_("Copy the key now and store it where the program reads it. It is not shown again."),
        back=reverse("backoffice:api-keys"),
        parent=_("API keys"),
    )


def _log(request: HttpRequest, row: ApiKey | Endpoint, flag: int, text: str) -> None:
    user = cast(User, request.user)
    LogEntry.objects.log_actions(user.pk, [row], flag, change_message=text, single_object=True)
