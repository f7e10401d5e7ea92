"""What every page of the operators' desk has in common: who may see it, its frame, and how something is confirmed."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core import clock

View = Callable[..., HttpResponse]


def staff_view(*permissions: str, methods: Sequence[str] = ("GET", "HEAD", "POST")) -> Callable[[View], View]:
    """A view for staff with all of `permissions`; others are asked to sign in, or refused."""

    def dress(view: View) -> View:
        allowed = require_http_methods(list(methods))(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not has_permissions(request, *permissions):
                raise PermissionDenied
            if any("\0" in str(value) for value in (*kwargs.values(), *request.GET.values())):
                raise Http404  # no key of ours has one, and PostgreSQL takes none
            return allowed(request, *args, **kwargs)

        dressed: View = admin.site.admin_view(never_cache(guarded))
        return dressed

    return dress


def has_permissions(request: HttpRequest, *permissions: str) -> bool:
    """Whether who asks has all of `permissions`, written without their room where that is campaigns."""
    user: User | AnonymousUser = request.user
    return user.has_perms([name if "." in name else f"campaigns.{name}" for name in permissions])


def actor(request: HttpRequest) -> str:
    """The name under which an act is noted."""
    return request.user.get_username()


def render_page(request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any) -> HttpResponse:
    """The page, inside the admin's frame, as of the business clock."""
    frame = {**admin.site.each_context(request), "title": title, "at": clock.now()}
    return render(request, f"backoffice/{template}.html", {**frame, **context}, status=status)


class ReasonForm(forms.Form):
    """Why something is done; it stands in the record for good."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off"})
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
    """Ask before something is done: what, to what, with which effect. The button says what it does."""
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
