"""Two-factor authentication: code at sign-in, setup, removal, and enforced setup where the policy requires it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

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
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.plugins.otp_totp.models import TOTPDevice

from dashboard.auth.reauthentication import PasswordConfirmationForm
from identity import login_attempts, mfa, security_log, sessions
from identity.backends import find_user

PENDING = "second-step"
"""Session key of a sign-in that awaits its code."""
CODE_TIMEOUT = timedelta(minutes=5)
SETUP = "second-step-setup"
"""Session key of a setup that awaits its first code."""
SETUP_TIMEOUT = timedelta(minutes=10)
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
    """Password and code: both are required to turn two-factor authentication off."""


def wait_for_code(request: HttpRequest, user: User, *, name: str, to: str) -> HttpResponse:
    """Store who gave the right password in the session, which stays anonymous, and ask for the code."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),  # differs as soon as the password is changed
        "name": name,
        "to": to,
        "at": timezone.now().isoformat(),
    }
    return redirect("sign-in-code")


@never_cache
@sensitive_post_parameters("code")
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code and sign the user in.

    Redirect to the sign-in page after 5 minutes, after a change of the password, and for a user who was disabled.
    """
    pending: dict[str, Any] = request.session.get(PENDING) or {}
    user = _pending_user(pending)
    if user is None:
        request.session.pop(PENDING, None)
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if mfa.verify(user, form.cleaned_data["code"]):
            del request.session[PENDING]
            login(request, user, backend=configured.AUTHENTICATION_BACKENDS[0])
            response = redirect(pending["to"])
            login_attempts.remember_device(response, pending["name"])
            return response
        security_log.record("second factor failed", user, request=request, level=logging.WARNING)
        form.add_error("code", WRONG_CODE)
    return render(request, "dashboard/sign_in_code.html", {"form": form})


def _pending_user(pending: dict[str, Any]) -> User | None:
    if not pending or timezone.now() - datetime.fromisoformat(pending["at"]) > CODE_TIMEOUT:
        return None
    user = find_user(pending["user"])
    is_same = user is not None and constant_time_compare(pending["password"], user.get_session_auth_hash())
    return user if is_same else None


@never_cache
@login_required
@sensitive_post_parameters("code", "password")
def settings(request: HttpRequest) -> HttpResponse:
    """Turn two-factor authentication on or off; both take the password and a code, and end the other sessions."""
    device = mfa.device_of(cast(User, request.user))
    if device is not None:
        return _turn_off(request)
    return _confirm_setup(request) if "code" in request.POST else _begin_setup(request)


def _turn_off(request: HttpRequest) -> HttpResponse:
    user, form = cast(User, request.user), PasswordAndCodeForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        if mfa.verify(user, form.cleaned_data["code"]):
            mfa.disable(user)
            return _changed(request, "second factor turned off", _("Two-factor authentication is off."))
        form.add_error("code", WRONG_CODE)
    return _settings_page(request, form, is_on=True)


def _begin_setup(request: HttpRequest) -> HttpResponse:
    """Ask for the password, then show a new secret: it is shown once, and to the person who knows the password."""
    form = PasswordConfirmationForm(request.POST or None, request=request)
    if request.method != "POST" or not form.is_valid():
        return _settings_page(request, form)
    device = mfa.begin_setup(cast(User, request.user))
    request.session[SETUP] = {"device": device.pk, "at": timezone.now().isoformat()}
    return _settings_page(request, CodeForm(), new=device)


def _confirm_setup(request: HttpRequest) -> HttpResponse:
    """Turn two-factor authentication on with a code of the secret that this session was shown within 10 minutes."""
    user = cast(User, request.user)
    setup: dict[str, Any] = request.session.get(SETUP) or {}
    begun = setup and timezone.now() - datetime.fromisoformat(setup["at"]) <= SETUP_TIMEOUT
    device = mfa.device_in_setup(user, setup["device"]) if begun else None
    if device is None:
        messages.warning(request, _("The setup has expired. Start it again."))
        return redirect("second-step")
    form = CodeForm(request.POST)
    if form.is_valid():
        if mfa.confirm_setup(device, form.cleaned_data["code"]):
            del request.session[SETUP]
            text = _("Two-factor authentication is on. You need a code each time you sign in.")
            return _changed(request, "second factor turned on", text)
        form.add_error("code", WRONG_CODE)
    return _settings_page(request, form, new=device)


def _changed(request: HttpRequest, event: str, text: str) -> HttpResponse:
    user = cast(User, request.user)
    sessions.end(user, keep=request.session.session_key)
    security_log.record(event, user, request=request)
    messages.success(request, text)
    return redirect("second-step")


def _settings_page(
    request: HttpRequest, form: forms.Form, *, is_on: bool = False, new: TOTPDevice | None = None
) -> HttpResponse:
    needed = mfa.is_required_for(cast(User, request.user))
    picture = mfa.qr_code(new) if new else ""
    context = {"form": form, "is_on": is_on, "picture": picture, "new": new, "needed": needed}
    return render(request, "dashboard/two_step_verification.html", context)


def enforce_setup(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: redirect users who must have two-factor authentication and lack it to its setup, from every page."""

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
