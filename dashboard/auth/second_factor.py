"""Two-step verification: code at sign-in, setup, removal, and enforced setup where the policy requires it."""

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

from dashboard.auth.reauthentication import PasswordConfirmationForm
from identity import login_attempts, mfa, security_log, sessions

PENDING = "second-step"
"""Session key of a sign-in that awaits its code."""
CODE_TIMEOUT = timedelta(minutes=5)
ALLOWED_BEFORE_SETUP = ("second-step", "password-change", "sign-out", "set_language")


WRONG_CODE = gettext_lazy("Wrong code, or already used. Wait for the next code.")


class CodeForm(forms.Form):
    """Six-digit code."""

    code = forms.RegexField(
        r"^\s*\d{6}\s*$",
        label=gettext_lazy("Verification code"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).strip()


class PasswordAndCodeForm(PasswordConfirmationForm, CodeForm):
    """Password and code: both are required to turn two-step verification on or off."""


def wait_for_code(request: HttpRequest, user: User, *, name: str, to: str) -> HttpResponse:
    """Store who gave the right password in the session, which stays anonymous, and ask for the code."""
    request.session.cycle_key()
    request.session[PENDING] = {"user": user.pk, "name": name, "to": to, "at": timezone.now().isoformat()}
    return redirect("sign-in-code")


@never_cache
@sensitive_post_parameters("code")
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code and sign the user in. Redirect to the sign-in page after 5 minutes."""
    pending = request.session.get(PENDING)
    if pending is None or timezone.now() - datetime.fromisoformat(pending["at"]) > CODE_TIMEOUT:
        request.session.pop(PENDING, None)
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = User.objects.get(pk=pending["user"])
        if user.is_active and mfa.verify(user, form.cleaned_data["code"]):
            del request.session[PENDING]
            login(request, user, backend="identity.backends.GuardedBackend")
            response = redirect(pending["to"])
            login_attempts.remember_device(response, pending["name"])
            return response
        security_log.second_factor_failed(request, user)
        form.add_error("code", WRONG_CODE)
    return render(request, "dashboard/sign_in_code.html", {"form": form})


@never_cache
@login_required
@sensitive_post_parameters("code", "password")
def settings(request: HttpRequest) -> HttpResponse:
    """Turn two-step verification on or off; both take the password and a code, and end the user's other sessions."""
    user = cast(User, request.user)
    device = mfa.device_of(user)
    form = PasswordAndCodeForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        if device is None and mfa.confirm_setup(user, code):
            sessions.end(user, keep=request.session.session_key)
            messages.success(request, _("Two-step verification is on. You need a code each time you sign in."))
            return redirect("second-step")
        if device is not None and mfa.verify(user, code):
            mfa.disable(user)
            sessions.end(user, keep=request.session.session_key)
            messages.success(request, _("Two-step verification is off."))
            return redirect("second-step")
        form.add_error("code", WRONG_CODE)
    new = None if device else mfa.begin_setup(user)
    picture = mfa.qr_code(new) if new else ""
    context = {"form": form, "device": device, "picture": picture, "new": new, "needed": mfa.is_required_for(user)}
    return render(request, "dashboard/two_step_verification.html", context)


def enforce_setup(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: redirect users who must have two-step verification and lack it to its setup, from every page."""

    def answer(request: HttpRequest) -> HttpResponse:
        if _must_set_up(request) and request.path not in {reverse(name) for name in ALLOWED_BEFORE_SETUP}:
            return _redirect_to_setup()
        return get_response(request)

    return answer


def _redirect_to_setup() -> HttpResponse:
    response = redirect("second-step")
    add_never_cache_headers(response)
    return response


def _must_set_up(request: HttpRequest) -> bool:
    if configured.SECOND_STEP == "nobody" or configured.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    if not isinstance(request.user, User):
        return False
    return mfa.is_required_for(request.user) and mfa.device_of(request.user) is None
