"""The second step at sign-in: asked for after the password, where it is on; turned on and off; set up where needed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from django import forms
from django.conf import settings as configured
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from dashboard.auth.reauthentication import ProvenForm
from identity import login_attempts, mfa, security_log, sessions

WAITING = "second-step"
PATIENCE = timedelta(minutes=5)
STILL_OPEN = ("second-step", "password-change", "sign-out", "set_language")


class CodeForm(forms.Form):
    """Six digits."""

    code = forms.RegexField(
        r"^\s*\d{6}\s*$",
        label=gettext_lazy("Code from your telephone"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip()


class ProvenCodeForm(ProvenForm, CodeForm):
    """The password and six digits: what changes how one signs in takes both."""


def wait_for_code(request: HttpRequest, user: User, *, name: str, to: str) -> HttpResponse:
    """Remember who gave the right password, in a session that is nobody's yet, and ask for the code."""
    request.session.cycle_key()
    request.session[WAITING] = {"user": user.pk, "name": name, "to": to, "at": timezone.now().isoformat()}
    return redirect("sign-in-code")


@never_cache
@sensitive_post_parameters("code")
def step(request: HttpRequest) -> HttpResponse:
    """Ask for the code; who has it is signed in."""
    waiting = request.session.get(WAITING)
    if waiting is None or timezone.now() - datetime.fromisoformat(waiting["at"]) > PATIENCE:
        request.session.pop(WAITING, None)
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = User.objects.get(pk=waiting["user"])
        if user.is_active and mfa.verify(user, form.cleaned_data["code"]):
            del request.session[WAITING]
            login(request, user, backend="identity.backends.GuardedBackend")
            response = redirect(waiting["to"])
            login_attempts.remember(response, waiting["name"])
            return response
        security_log.code_refused(request, user)
        form.add_error("code", _("This code is not right, or was used before. Wait for the next one."))
    return render(request, "dashboard/code.html", {"form": form})


@never_cache
@login_required
@sensitive_post_parameters("code", "password")
def settings(request: HttpRequest) -> HttpResponse:
    """Turn the second step on or off; both take the password and a code, and end one's other sessions."""
    user = cast(User, request.user)
    device = mfa.device_of(user)
    form = ProvenCodeForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        if device is None and mfa.confirm(user, code):
            sessions.end(user, but=request.session.session_key)
            messages.success(request, _("From now on a code is asked for when you sign in."))
            return redirect("second-step")
        if device is not None and mfa.verify(user, code):
            mfa.remove(user)
            sessions.end(user, but=request.session.session_key)
            messages.success(request, _("No code is asked for any more when you sign in."))
            return redirect("second-step")
        form.add_error("code", _("This code is not right, or was used before. Wait for the next one."))
    new = None if device else mfa.begin(user)
    picture = mfa.picture(new) if new else ""
    context = {"form": form, "device": device, "picture": picture, "new": new, "needed": mfa.are_needed_by(user)}
    return render(request, "dashboard/second.html", context)


def asked_for(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: lead who needs a second step and has none to where it is set up; to nothing else before."""

    def answer(request: HttpRequest) -> HttpResponse:
        if _is_lacking(request) and request.path not in {reverse(name) for name in STILL_OPEN}:
            return _to_set_up()
        return get_response(request)

    return answer


def _to_set_up() -> HttpResponse:
    response = redirect("second-step")
    add_never_cache_headers(response)
    return response


def _is_lacking(request: HttpRequest) -> bool:
    if configured.SECOND_STEP == "nobody" or configured.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    if not isinstance(request.user, User):
        return False
    return mfa.are_needed_by(request.user) and mfa.device_of(request.user) is None
