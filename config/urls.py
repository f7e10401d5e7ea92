"""Addresses: health and metrics, operators' pages, REST API, merchants' dashboard."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from backoffice import appearance, overview
from config import health_views

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.forbidden"
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"

urlpatterns = [
    path("health/live", health_views.live),
    path("health/ready", health_views.ready),
    path("metrics", health_views.metrics),
    path("i18n/setlang/", appearance.set_language, name="set_language"),
    path("theme/", appearance.set_theme, name="set_theme"),
    # Operators and merchants use the same sign-in page.
    path("admin/login/", RedirectView.as_view(pattern_name="sign-in", query_string=True)),
    # So does changing a password: the admin's own page would let it be guessed without a count.
    path("admin/password_change/", RedirectView.as_view(pattern_name="password-change")),
    path("admin/", overview.overview_page),  # replaces the admin's index
    path("admin/", include("backoffice.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("api.urls")),
    path("", include("dashboard.urls")),
]
