"""Where each door is."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from campaigns.admin import board
from config import alive

handler500 = "config.failing.failed"

urlpatterns = [
    path("health/live", alive.live),
    path("health/ready", alive.ready),
    path("metrics", alive.metrics),
    path("i18n/", include("django.conf.urls.i18n")),
    # Everyone signs in at one place.
    path("admin/login/", RedirectView.as_view(pattern_name="sign-in", query_string=True)),
    path("admin/", board.board),  # in place of the list of tables, which stands at its side
    path("admin/", include("campaigns.admin.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("campaigns.api.urls")),
    path("", include("campaigns.dashboard.urls")),
]
