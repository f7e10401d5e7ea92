"""Offer of the 11.11 campaign in a browser: from nothing to launch, by two persons, with every press counted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from campaigns.models import Draft, Offer
from definitions import yaml_roundtrip
from tests.support.browser import Open, Reader, sign_in
from tests.support.operators import Staff
from tests.support.world import freight

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

LINES = ("eu-rail-ddp", "eu-truck-ddp", "us-charter")
EXPECTED = """\
campaign: 1111-freight
names: {en: 11.11 freight, zh: 双11运费立减}
zone: Asia/Shanghai
windows:
  activity: {from: 2022-11-01 00:00:00, to: 2022-11-11 23:59:59}
offers:
  - code: 30-cny-off-three-express-lines
    names: {en: 30 CNY off three express lines, zh: 三条快递线路立减30元}
    subject: freight_order
    where: all
    claim: {at: paid_at}
    conditions:
      - {fact: paid_at, within: activity}
      - {code: not_cancelled, fact: cancelled_at, happened: no}
      - {fact: line, in: [eu-rail-ddp, eu-truck-ddp, us-charter]}
      - {fact: base_freight, more_than: 400}
      - {in_force: membership, of: [verified_supplier]}
    benefit: {fee: freight, currency: CNY, amount: 30}
    quota: {limit: 500, per_merchant: 2}
    settlement: {released_by: cancelled_at, released_after_settlement: yes}
"""
MOST_CLICKS, MOST_SECONDS = 40, 300


@pytest.fixture
def people(staff: Staff) -> Iterator[None]:
    """Ana writes and launches, Bo approves; orders on three lines are recorded."""
    staff("ana", "operator")
    staff("bo", "approver")
    for n, line in enumerate(LINES):
        freight(f"FL{n}", of="M1", paid_at="12", base_freight=500, line=line)
    yield


class Hand:
    """A hand with a mouse and a keyboard: each press of a button or link, and each choice in a select, is counted."""

    def __init__(self, who: Reader) -> None:
        self.page: Page = who.page
        self.clicks = 0

    def press(self, target: Locator) -> None:
        """Press a button or a link."""
        self.clicks += 1
        target.click()

    def fill(self, name: str, text: str) -> None:
        """Click into an input and type."""
        self.clicks += 1
        self.page.locator(f"[name='{name}']").last.fill(text)

    def type(self, name: str, text: str) -> None:
        """Click into an input of the builder and type; the builder answers."""
        with self.answered():
            self.fill(name, text)
            self.page.keyboard.press("Tab")

    def add_token(self, name: str, text: str) -> None:
        """Type one more value and press Enter."""
        self.clicks += 1
        field = self.page.locator(f"[name='{name}']:not([type=hidden])")
        field.fill(text)
        with self.answered():
            field.press("Enter")
        expect(self.page.locator(f"input[type=hidden][name='{name}'][value='{text}']")).to_have_count(1)

    def choose(self, name: str, value: str) -> None:
        """Open a select and choose: two presses."""
        self.clicks += 2
        with self.answered():
            self.page.locator(f"select[name='{name}']").last.select_option(value)

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Wait until the answer to a change is on the page."""
        with self.page.expect_response(lambda response: "peek=1" not in (response.request.post_data or "peek=1")):
            yield
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def define(hand: Hand) -> None:
    """From the list of campaigns to a saved offer."""
    page = hand.page
    hand.press(page.locator(".page-actions a[href='/admin/drafts/new/']"))
    hand.fill("names_en", "11.11 freight")
    hand.fill("names_zh", "双11运费立减")
    hand.fill("starts", "2022-11-01")
    hand.fill("ends", "2022-11-11")
    hand.press(page.locator("main form .btn-primary"))
    hand.press(page.locator("button[name=template][value=amount]"))
    hand.type("basics-names_en", "30 CNY off three express lines")
    hand.type("basics-names_zh", "三条快递线路立减30元")
    hand.choose("conditions-2-fact", "line")
    for line in LINES:
        hand.add_token("conditions-2-values", line)
    hand.choose("conditions-3-fact", "base_freight")
    hand.choose("conditions-3-op", "more_than")
    hand.type("conditions-3-number", "400")
    hand.choose("conditions-4-fact", "=membership")
    hand.choose("conditions-4-of", "verified_supplier")
    hand.type("benefit-amount", "30")
    hand.type("quota-limit", "500")
    hand.type("quota-per_merchant", "2")


def launch(hand: Hand, approver: Hand, draft: Draft) -> None:
    """Submit, let the second person approve, launch. Pages between are opened by their links."""
    where = f"/admin/drafts/{draft.pk}/"
    for one, verb in ((hand, "submit"), (approver, "approve"), (hand, "launch")):
        one.page.goto(where)
        one.clicks += 1  # the link to the draft, in a notification or a list
        one.press(one.page.locator(f"a[href='{where}{verb}/']").first)
        one.press(one.page.locator("form.confirm button"))
        one.page.wait_for_url(f"**{where}")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_an_offer_goes_from_nothing_to_launch_in_five_minutes(
    people: None, reader: Open, language: str, width: int
) -> None:
    ana, bo = reader(language, width), reader(language, width)
    sign_in(ana, "ana")
    sign_in(bo, "bo")
    began = time.monotonic()
    hand, approver = Hand(ana), Hand(bo)
    ana.open("/admin/campaigns/")
    define(hand)
    ana.check()
    hand.press(hand.page.locator("button[name=save]").last)
    hand.page.wait_for_url("**/admin/drafts/*/")
    draft = Draft.objects.get()
    assert yaml_roundtrip.load(draft.source) == yaml_roundtrip.load(EXPECTED)
    launch(hand, approver, draft)
    assert Offer.objects.filter(code="30-cny-off-three-express-lines").exists()
    assert hand.clicks + approver.clicks <= MOST_CLICKS
    assert time.monotonic() - began <= MOST_SECONDS
    assert ana.complaints == bo.complaints == []
