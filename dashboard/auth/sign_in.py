"""Signing in and out, choosing a password after an invitation or anew. Django's own views, in our pages."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.auth import second_factor
from identity import login_attempts, mfa
from merchants.models import Member


class SignInForm(AuthenticationForm):
    """A name, or the e-mail address of a member, and a password."""

    username = forms.CharField(
        label=gettext_lazy("E-mail address or user name"),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        return name.lower() if "@" in name else name  # addresses are kept in lower case

    def get_invalid_login_error(self) -> forms.ValidationError:
        name = self.cleaned_data.get("username") or ""
        if self.request is not None and login_attempts.is_closed(self.request, name, at=timezone.now()):
            text = _("Too many tries. Wait 15 minutes, or sign in on a device on which you did before.")
            return forms.ValidationError(text, code="too_many")
        return super().get_invalid_login_error()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if Member.objects.filter(user=user, disabled_at__isnull=False).exists():
            text = _("This account was disabled by your main account or the platform.")
            raise forms.ValidationError(text, code="disabled")


class SignIn(views.LoginView):
    """Members come to their home, operators to the admin. A first sign-in speaks the member's language."""

    template_name = "dashboard/sign-in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and self.get_redirect_url().startswith(reverse("admin:index")) and not user.is_staff:
            raise PermissionDenied  # the operators' door sent somebody here who has another
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if mfa.device_of(user) is not None:
            name = form.cleaned_data["username"]
            return second_factor.wait_for_code(self.request, user, name=name, to=self.get_success_url())
        response = super().form_valid(form)
        login_attempts.remember(response, form.cleaned_data["username"])
        member = Member.objects.filter(user=form.get_user()).first()
        if member is not None and settings.LANGUAGE_COOKIE_NAME not in self.request.COOKIES:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME, member.language, samesite="Lax", httponly=True,
                secure=settings.LANGUAGE_COOKIE_SECURE,
            )  # fmt: skip
        return response


class ForgetPassword(views.PasswordResetView):
    template_name = "dashboard/password-forgotten.html"
    email_template_name = "mail/password.txt"
    subject_template_name = "mail/password-subject.txt"
    success_url = reverse_lazy("password-sent")


class ChoosePassword(views.PasswordResetConfirmView):
    """Where the link of an invitation, or of a forgotten password, leads."""

    template_name = "dashboard/password-choose.html"
    success_url = reverse_lazy("home")
    post_reset_login_backend = "identity.backends.GuardedBackend"

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in at once, unless a code is asked for: whoever reads one's mail has only the first step."""
        user = cast(User, self.user)
        self.post_reset_login = mfa.device_of(user) is None
        response = super().form_valid(form)
        if self.post_reset_login:
            return response
        return second_factor.wait_for_code(self.request, user, name=user.get_username(), to=str(self.success_url))


class ChangePassword(views.PasswordChangeView):
    """Other sessions of the same user end with it."""

    template_name = "dashboard/password-change.html"
    success_url = reverse_lazy("account")
