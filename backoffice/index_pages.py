"""Index pages of the workspace: settings, all tables, everything on a small screen, and the parts of the design."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.rendering import has_permissions, render_page, staff_view


@dataclass(frozen=True)
class Setting:
    """Page of the settings, with what it is for."""

    title: Promise
    text: Promise
    icon: str
    view: str
    permission: str


SETTINGS = (
    Setting(
        gettext_lazy("People"),
        gettext_lazy("Users of the workspace, their roles and their sign-in."),
        "user-search",
        "backoffice:people",
        "auth.view_user",
    ),
    Setting(
        gettext_lazy("Roles"),
        gettext_lazy("What viewers, operators, approvers and administrators may do."),
        "checks",
        "backoffice:roles",
        "campaigns.view_offer",
    ),
    Setting(
        gettext_lazy("Members of merchants"),
        gettext_lazy("Accounts that merchants use to sign in to their dashboard."),
        "building-store",
        "admin:merchants_member_changelist",
        "merchants.view_member",
    ),
    Setting(
        gettext_lazy("API keys"),
        gettext_lazy("Programs that read and claim over the REST API."),
        "plug",
        "backoffice:api-keys",
        "merchants.view_apikey",
    ),
    Setting(
        gettext_lazy("Webhooks"),
        gettext_lazy("Addresses that are told of decisions and changes, with each delivery."),
        "bolt",
        "backoffice:endpoints",
        "campaigns.view_endpoint",
    ),
    Setting(
        gettext_lazy("Import mappings"),
        gettext_lazy("How the columns of other systems' files are read."),
        "file-import",
        "admin:imports_storedmapping_changelist",
        "imports.view_storedmapping",
    ),
    Setting(
        gettext_lazy("Notifications"),
        gettext_lazy("Choose what you are told in the workspace and by mail."),
        "bell",
        "backoffice:notification-settings",
        "campaigns.view_offer",
    ),
    Setting(
        gettext_lazy("Data retention"),
        gettext_lazy("What is kept, and for how long."),
        "database",
        "backoffice:retention",
        "campaigns.view_offer",
    ),
)
DEMO_CLOCK = Setting(
    gettext_lazy("Demonstration clock"),
    gettext_lazy("Move the time of the demonstration, to see what happens later."),
    "clock",
    "admin:core_democlock_changelist",
    "core.change_democlock",
)


@staff_view("view_offer", methods=("GET", "HEAD"))
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings that the user may open."""
    pages = (*SETTINGS, DEMO_CLOCK) if settings.DEMO else SETTINGS
    allowed = [page for page in pages if has_permissions(request, page.permission)]
    return render_page(request, "settings", title=_("Settings"), pages=allowed)


@staff_view("view_offer", methods=("GET", "HEAD"))
def data_page(request: HttpRequest) -> HttpResponse:
    """Show every table that the user may view, grouped by app."""
    return render_page(request, "data", title=_("Data"), app_list=admin.site.get_app_list(request))


@staff_view("view_offer", methods=("GET", "HEAD"))
def more_page(request: HttpRequest) -> HttpResponse:
    """Show the whole navigation as a page, for small screens."""
    return render_page(request, "more", title=_("More"))
