"""Sign-in, and choosing a password after an invitation or a reset: Django's views with our pages and rules."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from dashboard.auth import second_factor
from dashboard.auth.reauthentication import confirm_password
from identity import login_attempts, mfa, password_reset, sessions
from identity.backends import find_user
from identity.tasks import send_password_resets
from merchants.access import is_disabled


class SignInForm(AuthenticationForm):
    """User name, or the email address of a member, and password."""

    username = forms.CharField(
        label=gettext_lazy("Email address or user name"),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        return name.lower() if "@" in name else name  # email addresses are stored in lower case

    def get_invalid_login_error(self) -> forms.ValidationError:
        name = self.cleaned_data.get("username") or ""
        if self.request is not None and login_attempts.is_locked_out(self.request, name, at=timezone.now()):
            text = _("Too many attempts. Wait 15 minutes, or sign in on a device you have used before.")
            return forms.ValidationError(text, code="too_many")
        return super().get_invalid_login_error()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if is_disabled(user):
            text = _("Your main account or the platform disabled this account.")
            raise forms.ValidationError(text, code="disabled")


class SignIn(views.LoginView):
    """Sign-in page. Pages keep the language of the browser, or the one chosen on a page; a member's is that of mail."""

    template_name = "dashboard/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and self.get_redirect_url().startswith(reverse("admin:index")) and not user.is_staff:
            # A merchant asked for an operators' page; a redirect there would loop.
            return render(request, "dashboard/operators_only.html", status=403)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if mfa.device_of(user) is not None:
            name = form.cleaned_data["username"]
            return second_factor.wait_for_code(self.request, user, name=name, to=self.get_success_url())
        response = super().form_valid(form)
        login_attempts.remember_device(response, form.cleaned_data["username"])
        return response


class ResetPassword(views.PasswordResetView):
    """Form that sends a reset link to an email address."""

    template_name = "dashboard/password_reset.html"
    success_url = reverse_lazy("password-sent")

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the request for a worker. Known and unknown addresses take the same way, and the same time."""
        email, language = form.cleaned_data["email"], get_language() or settings.LANGUAGE_CODE
        network = login_attempts.client_network(self.request)
        if not password_reset.request_link(email, language=language, network=network, at=timezone.now()):
            form.add_error(None, _("Too many requests. Try again in an hour."))
            return self.form_invalid(form)
        transaction.on_commit(send_password_resets.delay)
        return redirect(str(self.success_url))


class ChoosePassword(views.PasswordResetConfirmView):
    """Page behind the link of an invitation or a password reset."""

    template_name = "dashboard/password_choose.html"
    success_url = reverse_lazy("home")
    post_reset_login_backend = settings.AUTHENTICATION_BACKENDS[0]

    def get_user(self, uidb64: str) -> User | None:
        """Return the user of the link, or None if the link is broken or the user may not sign in."""
        user = super().get_user(uidb64)
        return find_user(user.pk) if user else None

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in at once, unless the user has two-factor authentication: access to the mailbox is only the first step.

        All earlier sessions of the user end.
        """
        user = cast(User, self.user)
        sessions.end(user)
        self.post_reset_login = mfa.device_of(user) is None
        response = super().form_valid(form)
        if self.post_reset_login:
            return response
        return second_factor.wait_for_code(self.request, user, name=user.get_username(), to=str(self.success_url))


class ChangePasswordForm(PasswordChangeForm):
    """Form whose check of the old password is counted like a sign-in attempt."""

    def __init__(self, *arguments: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.request = request

    def clean_old_password(self) -> str:
        return confirm_password(self.request, self.cleaned_data["old_password"])


class ChangePassword(views.PasswordChangeView):
    """Form that changes the password and ends the user's other sessions."""

    template_name = "dashboard/password_change.html"
    form_class = ChangePasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_success_url(self) -> str:
        return reverse("admin:index" if cast(User, self.request.user).is_staff else "account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        sessions.end(cast(User, self.request.user), keep=self.request.session.session_key)
        messages.success(self.request, _("Your password was changed."))
        return response
