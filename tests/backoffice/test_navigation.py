"""Navigation of the workspace: what each role sees, and which entry is the current one."""

import re

import pytest
from django.test import Client

from tests.support.operators import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market"), pytest.mark.once(reason="pages, not SQL")]

EVERYTHING = (
    "Overview Approvals Campaigns Simulations Coupons Allowances Ratings Merchants Claims Eligibility check Statements "
    "Imports Integrations Audit log Settings Data"
)


def links(browser: Client, path: str = "/admin/") -> dict[str, bool]:
    """Return the entries of the side navigation, each with whether it is the current one."""
    page = browser.get(path).content.decode()
    side = page[page.index('<nav class="sidenav"') : page.index("</nav>")]
    found = re.findall(r'<a class="nav-link" href="[^"]*"( aria-current="page")?>.*?<span>([^<]*)</span>', side)
    return {label: bool(current) for current, label in found}


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "administrator"])
def test_every_role_sees_the_whole_navigation(role: str, staff: Staff) -> None:
    assert " ".join(links(staff("who", role))) == EVERYTHING


def test_without_a_role_only_the_overview_is_offered(staff: Staff) -> None:
    assert links(staff("new")) == {"Overview": True}


CURRENT = {
    "/admin/": "Overview",
    "/admin/approvals/": "Approvals",
    "/admin/campaigns/revocation/": "Approvals",
    "/admin/campaigns/": "Campaigns",
    "/admin/offers/ten/": "Campaigns",
    "/admin/campaigns/draft/": "Campaigns",
    "/admin/campaigns/simulation/": "Simulations",
    "/admin/scorecards/": "Ratings",
    "/admin/merchant/M1/": "Merchants",
    "/admin/campaigns/grant/": "Claims",
    "/admin/eligibility/": "Eligibility check",
    "/admin/imports/upload/": "Imports",
    "/admin/campaigns/endpoint/": "Integrations",
    "/admin/campaigns/version/": "Data",
    "/admin/logistics/freightorder/": "Data",
}


@pytest.mark.parametrize(("path", "label"), CURRENT.items())
def test_one_entry_is_the_current_one(path: str, label: str, staff: Staff) -> None:
    found = links(staff("who", "administrator"), path)
    assert [name for name, current in found.items() if current] == [label]
