"""Every link that a page shows leads to a page that the reader may see."""

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

import pytest
from django.contrib import admin
from django.test import Client

from campaigns.grants import revocations
from campaigns.models import Campaign, Grant
from campaigns.offers import drafts
from merchants import blocks
from merchants.models import Merchant
from tests.support.operators import Staff
from tests.support.world import t

pytestmark = pytest.mark.django_db

LINKS_OF_A_PAGE = 60
LEFT_OUT = ("/static/", "/admin/jsi18n/", "/sign-out/", ".ics")


class Links(HTMLParser):
    """Collect the addresses of the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address:
            self.found.append(address)


def links(page: str, html: str) -> Iterator[str]:
    reader = Links()
    reader.feed(html)
    for address in reader.found:
        target = urldefrag(urljoin(page, address)).url
        if target.startswith("/") and not any(part in target for part in LEFT_OUT):
            yield target


def refused(browser: Client, start: str, *, but: tuple[str, ...] = ()) -> dict[str, tuple[int, str]]:
    """Return the refused or missing pages that can be reached from `start`: each with its status and the link's page.

    A page is opened once, with the first query that leads to it; those that begin with one of `but` are not.
    """
    queue, seen, found = [(start, "")], {start}, dict[str, tuple[int, str]]()
    while queue:
        page, origin = queue.pop(0)
        answer = browser.get(page, follow=True)
        if answer.streaming:
            list(answer.streaming_content)  # type: ignore[attr-defined]  # read to its end: that closes the file
        if answer.status_code >= 400:
            found[page] = (answer.status_code, origin)
        elif "html" in answer.headers["Content-Type"]:
            for target in list(links(page, answer.content.decode()))[:LINKS_OF_A_PAGE]:
                bare = target.partition("?")[0]
                if bare not in seen and not bare.startswith(but):
                    seen.add(bare)
                    queue.append((target, page))
    return found


@pytest.mark.once(reason="which links a page has and which pages a role may open is no matter of the database")
@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "administrator"])
def test_no_link_leads_to_a_page_that_is_refused(role: str, staff: Staff, market: None) -> None:
    campaign = Campaign.objects.get()
    drafts.submit(drafts.begin(campaign.source, title="A", at=t("20"), by="eve", of=campaign), at=t("20"), by="eve")
    revocations.propose(Grant.objects.filter(merchant="M1"), title="M1", at=t("20"), by="eve", reason="x")
    blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="x", at=t("20"), by="eve")
    # The tables under "Data" are many, and the table of roles in test_access_matrix.py has each of them.
    tables = tuple(f"/admin/{model._meta.app_label}/" for model in admin.site._registry)
    assert refused(staff("who", role), "/admin/", but=() if role == "administrator" else tables) == {}
