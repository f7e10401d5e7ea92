"""Search over any page by keyboard; the eligibility check within three clicks from anywhere."""

import pytest
from playwright.sync_api import expect

from merchants.models import Merchant
from tests.support.browser import Open, Reader, sign_in
from tests.support.operators import Staff
from tests.support.world import correct

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]
READERS = pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])


@pytest.fixture
def ana(staff: Staff) -> None:
    staff("ana", "operator")
    correct(Merchant, "M3", name="深圳安利", name_en="Shenzhen Anli")


def signed_in(reader: Open, language: str, width: int) -> Reader:
    who = reader(language, width)
    sign_in(who, "ana")
    who.page.wait_for_url("**/admin/")
    return who


@READERS
def test_the_keys_open_it_and_the_arrows_choose(ana: None, reader: Open, language: str, width: int) -> None:
    who = signed_in(reader, language, width)
    page, field = who.page, who.page.locator("#palette input")
    for keys in ("/", "Control+k"):
        page.keyboard.press(keys)
        expect(field).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("merchant m")
    options = page.locator("#palette [role=option]")
    expect(options.nth(0)).to_contain_text("M1")  # without a text there are three options too
    expect(options).to_have_count(3)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(options.nth(1).get_attribute("id")))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    who.check()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/merchant/M1/")


def test_enter_waits_for_what_the_text_finds(ana: None, reader: Open) -> None:
    page = signed_in(reader, "en", 1280).page
    page.keyboard.press("/")
    expect(page.locator("#palette [role=option]").first).to_be_visible()
    page.locator("#palette input").fill("merchant m")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/merchant/M1/")


@READERS
def test_the_pages_opened_last_come_first(ana: None, reader: Open, language: str, width: int) -> None:
    who = signed_in(reader, language, width)
    for path in ("/admin/merchant/M3/", "/admin/offers/ten/", "/admin/campaigns/"):
        who.open(path)
    who.page.keyboard.press("/")
    options = who.page.locator("#palette [role=option]")
    expect(options.nth(0)).to_contain_text("ten")
    expect(options.nth(1)).to_contain_text("Shenzhen Anli" if language == "en" else "深圳安利")
    who.check()
    who.page.keyboard.press("ArrowDown")
    who.page.keyboard.press("Enter")
    who.page.wait_for_url("**/admin/merchant/M3/")


@READERS
def test_an_order_is_explained_within_three_clicks(ana: None, reader: Open, language: str, width: int) -> None:
    who = signed_in(reader, language, width)
    page = who.open("/admin/merchant/M3/")
    page.locator(".tabs a").nth(1).click()
    page.get_by_role("link", name="FM30").click()
    expect(page.locator(".conds .mark-no")).to_have_count(1)
    who.check()
    page = who.open("/admin/statements/")
    page.locator("[data-find]").click()
    page.keyboard.type("FM31")
    expect(page.locator("#palette [role=option]")).to_have_count(2)
    page.locator("#palette [role=option]").first.click()
    expect(page.locator(".conds .mark-no")).to_have_count(1)
    assert "FM31" in page.url


def test_without_javascript_the_search_is_a_page(ana: None, reader: Open) -> None:
    who = reader("en", 390, java_script_enabled=False)
    sign_in(who, "ana")
    who.page.wait_for_url("**/admin/")
    who.page.locator("[data-find]").click()
    who.page.locator("main input[name=q]").fill("anli")
    who.page.locator("main form button").click()
    who.page.get_by_role("link", name="Shenzhen Anli").click()
    assert who.page.url.endswith("/admin/merchant/M3/")
