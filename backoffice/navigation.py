"""Navigation of the workspace by task: groups of entries, of which each user sees those that they may open."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.approvals import count_waiting
from backoffice.rendering import has_permissions


@dataclass(frozen=True)
class Entry:
    """Entry of the navigation.

    It is the current one on its own page and on those whose addresses begin with one of `paths`, the longest of all
    entries winning; unless `exact`, the address of its own page is such a beginning too.
    """

    label: str | Promise
    icon: str
    view: str
    paths: Sequence[str] = ()
    permissions: Sequence[str] = ()
    count: Callable[[HttpRequest], int] | None = None
    exact: bool = False

    def allows(self, request: HttpRequest) -> bool:
        """Return whether the user may open the page."""
        return has_permissions(request, *self.permissions)

    def match(self, path: str) -> int:
        """Return the length of the longest of its addresses that `path` begins with, -1 if there is none."""
        own = reverse(self.view)
        if path == own:
            return len(own)
        beginnings = [*(f"/admin/{start}" for start in self.paths), *([] if self.exact else [own])]
        return max((len(start) for start in beginnings if path.startswith(start)), default=-1)


@dataclass(frozen=True)
class Link:
    """Entry as shown to one user."""

    label: str | Promise
    icon: str
    href: str
    current: bool
    count: int


OVERVIEW = Entry(_("Overview"), "layout-dashboard", "admin:index", ("notifications/", "help/", "design/"), exact=True)
APPROVALS = Entry(
    _("Approvals"),
    "checks",
    "backoffice:approvals",
    ("campaigns/revocation/", "revocations/", "identity/rolerequest/"),
    ("view_draft",),
    count_waiting,
)
CAMPAIGNS = Entry(
    _("Campaigns"),
    "speakerphone",
    "backoffice:campaigns",
    ("campaign/", "offers/", "drafts/", "campaigns/draft/"),
    ("view_offer",),
    exact=True,
)
SIMULATIONS = Entry(
    _("Simulations"), "flask", "admin:campaigns_simulation_changelist", ("simulations/",), ("view_simulation",)
)
COUPONS = Entry(
    _("Coupons"), "ticket", "admin:campaigns_coupon_changelist", ("campaigns/attachment/",), ("view_coupon",)
)
ALLOWANCES = Entry(
    _("Allowances"),
    "wallet",
    "admin:campaigns_allowance_changelist",
    ("campaigns/usagedecision/", "campaigns/allowanceentry/"),
    ("view_allowance",),
)
RATINGS = Entry(_("Ratings"), "star", "backoffice:ratings", ("ratings/",), ("view_offer",))
MERCHANTS = Entry(
    _("Merchants"),
    "building-store",
    "admin:merchants_merchant_changelist",
    ("merchant/",),
    ("merchants.view_merchant",),
)
CLAIMS = Entry(
    _("Claims"),
    "list-check",
    "admin:campaigns_decision_changelist",
    ("campaigns/grant/", "grants/"),
    ("view_decision",),
)
ELIGIBILITY = Entry(
    _("Eligibility check"), "user-search", "backoffice:explanation", (), ("view_decision", "merchants.view_merchant")
)
STATEMENTS = Entry(
    _("Statements"), "receipt", "backoffice:statements", ("campaigns/accountingperiod/",), ("view_journalentry",)
)
IMPORTS = Entry(
    _("Imports"),
    "file-import",
    "admin:imports_upload_changelist",
    ("imports/importbatch/", "imports/storedmapping/"),
    ("imports.view_upload",),
)
INTEGRATIONS = Entry(
    _("Integrations"),
    "plug",
    "backoffice:endpoints",
    ("campaigns/endpoint/", "campaigns/delivery/", "merchants/apikey/", "settings/api-keys/", "settings/deliveries/"),
    ("view_endpoint",),
)
AUDIT_LOG = Entry(_("Audit log"), "history", "admin:campaigns_auditevent_changelist", (), ("view_auditevent",))
SETTINGS = Entry(_("Settings"), "settings", "backoffice:settings", ("auth/", "core/democlock/"), ("view_offer",))
DATA = Entry(_("Data"), "database", "backoffice:data", ("",), ("view_offer",))

GROUPS: tuple[tuple[str | Promise, tuple[Entry, ...]], ...] = (
    ("", (OVERVIEW, APPROVALS)),
    (_("Programmes"), (CAMPAIGNS, SIMULATIONS, COUPONS, ALLOWANCES, RATINGS)),
    (_("Merchants"), (MERCHANTS, CLAIMS, ELIGIBILITY, STATEMENTS)),
    (_("System"), (IMPORTS, INTEGRATIONS, AUDIT_LOG, SETTINGS, DATA)),
)
BOTTOM = (OVERVIEW, APPROVALS, CAMPAIGNS, MERCHANTS)
"""Entries of the bar at the bottom of a small screen; the others are on the page "More"."""


def groups_for(request: HttpRequest) -> list[tuple[str | Promise, list[Link]]]:
    """Return the groups with the entries that the user may open; groups without any are left out."""
    current = _current(request.path)
    groups = [(label, list(_links(request, entries, current))) for label, entries in GROUPS]
    return [(label, links) for label, links in groups if links]


def bottom_for(groups: Sequence[tuple[str | Promise, Sequence[Link]]]) -> list[Link]:
    """Return the links of the bar at the bottom of a small screen, out of those of `groups_for`."""
    chosen = [str(entry.label) for entry in BOTTOM]
    return [link for _label, links in groups for link in links if str(link.label) in chosen][: len(BOTTOM)]


def _links(request: HttpRequest, entries: Sequence[Entry], current: Entry) -> Iterator[Link]:
    for entry in entries:
        if entry.allows(request):
            count = entry.count(request) if entry.count else 0
            yield Link(entry.label, entry.icon, reverse(entry.view), entry is current, count)


def _current(path: str) -> Entry:
    entries = [entry for _label, entries in GROUPS for entry in entries]
    return max(entries, key=lambda entry: entry.match(path))
