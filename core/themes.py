"""Light or dark: the choice of a person on one device, kept in a cookie and written into the page by the server."""

from django.conf import settings
from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

A_YEAR = 365 * 24 * 3600


class Theme(models.TextChoices):
    """Choices of colours. With `system` the device decides."""

    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")
    SYSTEM = "system", _("As the device")


def chosen(request: HttpRequest) -> Theme:
    """Return the theme that the person has chosen on this device."""
    value = request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return Theme(value) if value in Theme.values else Theme.SYSTEM


def theme(request: HttpRequest) -> dict[str, object]:
    """Context processor: the chosen `theme`, for `data-theme` of the page, and all `themes` to choose from."""
    return {"theme": chosen(request).value, "themes": Theme.choices}


def remember(response: HttpResponseBase, chosen_theme: Theme) -> None:
    """Set the cookie of the theme."""
    response.set_cookie(
        settings.THEME_COOKIE_NAME,
        chosen_theme.value,
        max_age=A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
