"""Common parts of the pages of the operators' workspace: permissions, the frame, and confirmations."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core import clock

View = Callable[..., HttpResponseBase]


def staff_view(*permissions: str, methods: Sequence[str] = ("GET", "HEAD", "POST")) -> Callable[[View], View]:
    """Make a view one for staff with all of `permissions`; others sign in first, or get a 403."""

    def decorate(view: View) -> View:
        allowed = require_http_methods(list(methods))(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not has_permissions(request, *permissions):
                raise PermissionDenied
            if any("\0" in str(value) for value in (*kwargs.values(), *request.GET.values())):
                raise Http404  # PostgreSQL stores no NUL, so no key contains one
            return allowed(request, *args, **kwargs)

        decorated: View = admin.site.admin_view(never_cache(guarded))
        return decorated

    return decorate


def has_permissions(request: HttpRequest, *permissions: str) -> bool:
    """Return whether the user has all of `permissions`; a name without an app label belongs to `campaigns`."""
    user: User | AnonymousUser = request.user
    return user.has_perms([name if "." in name else f"campaigns.{name}" for name in permissions])


def actor(request: HttpRequest) -> str:
    """Return the user name that the audit log records."""
    return request.user.get_username()


def render_page(
    request: HttpRequest, template: str, *, title: str, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page inside the frame of the admin, as of the business clock."""
    frame = {**admin.site.each_context(request), "title": title, "at": clock.now()}
    return render(request, f"backoffice/{template}.html", {**frame, **context}, status=status)


class ReasonForm(forms.Form):
    """Reason of an action, for the audit log."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


def render_confirmation(
    request: HttpRequest,
    *,
    title: str,
    effects: Sequence[str],
    button: str,
    back: str,
    form: forms.Form | None = None,
    destructive: bool = False,
    **context: Any,
) -> HttpResponse:
    """Render a page that states the effects of an action and asks to confirm it."""
    return render_page(
        request,
        "confirmation",
        title=title,
        effects=effects,
        button=button,
        back=back,
        form=form,
        destructive=destructive,
        **context,
    )
