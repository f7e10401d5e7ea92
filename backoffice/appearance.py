"""Language and colours, chosen by everyone, signed in or not; an operator's language is that of its mail too."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views import i18n
from django.views.decorators.http import require_POST

from campaigns.notifications import preferences
from core import themes
from core.themes import Theme


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Store the language in a cookie, and for the mail of an operator; return to the page."""
    language = request.POST.get("language", "")
    if request.user.is_staff and language and check_for_language(language):
        preferences.remember_language(request.user, language)
    return i18n.set_language(request)


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Store the theme in a cookie and return to the page."""
    target, value = request.POST.get("next", "/"), request.POST.get("theme", "")
    host, is_secure = {request.get_host()}, request.is_secure()
    allowed = target.startswith("/") and url_has_allowed_host_and_scheme(target, host, require_https=is_secure)
    response = HttpResponseRedirect(target if allowed else "/")
    if value in Theme.values:
        themes.remember(response, Theme(value))
    return response
