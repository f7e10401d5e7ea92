"""Password confirmation before a change to how a user signs in."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class PasswordConfirmationForm(forms.Form):
    """Form that asks for the user's current password. Wrong passwords count as failed sign-in attempts."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *arguments: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.request = request

    def clean_password(self) -> str:
        return confirm_password(self.request, self.cleaned_data["password"])


def confirm_password(request: HttpRequest, password: str) -> str:
    """Return the password if it is the user's. Raises ValidationError if it is wrong, and after too many attempts."""
    if authenticate(request, username=request.user.get_username(), password=password) is None:
        raise forms.ValidationError(_("Wrong password, or too many attempts."), code="password")
    return password
