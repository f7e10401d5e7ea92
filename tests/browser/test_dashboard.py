"""The dashboard in a browser: both languages, desktop and phone, with and without JavaScript."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core import mail
from playwright.sync_api import expect
from pytest_django import Settings

from campaigns.engine import ticker
from campaigns.models import Coupon
from campaigns.notifications import distribution
from logistics.models import FreightOrder
from merchants.models import Member
from tests.support import season
from tests.support.browser import BY_LOOKS, Open, Reader
from tests.support.members import PASSWORD, clock, member
from tests.support.world import batch, freight, merchant, t, trade

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(settings: Settings) -> Member:
    """Merchant with three of the five shipments required for eight coupons, on 20 September 2022."""
    settings.DEMO = True
    season.publish()
    merchant("M1", name="远帆贸易", category_l1="Home")
    found = member("owner@example.com")
    for n in range(3):
        freight(f"F{n}", placed_at="05", paid_at="05 02:00", shipped_at=f"1{n}")
    trade("T1", drafted_at="05")
    pass_time("20")
    return found


def pass_time(at: str) -> None:
    """Move the clock and do the work of the worker."""
    clock(at)
    ticker.tick(at=t(at))
    distribution.fan_out()


def sign_in(who: Reader, name: str = "owner@example.com") -> None:
    who.open("/sign-in/")
    who.page.fill("[name=username]", name)
    who.page.fill("[name=password]", PASSWORD)
    who.page.click("main form button")


WORDS = {
    "en": {
        "progress": "2 more freight orders to qualify 3 of 5 freight orders counted",
        "ends": "1 Oct, 14:59",
        "given": "8 coupons arrive on 15 Oct",
        "rank": "You are number 1 in line: the first 3,000 get it.",
        "issued": "Use 8 coupons worth 200.00 CNY",
        "told": "you received 8 coupons of 25.00 CNY each.",
        "compare": "420.00 CNY 395.00 CNY",
        "attached": "Coupon of 25.00 CNY attached to this order.",
        "returned": "The coupon is back in your wallet.",
        "redeemed": "Used",
        "saved": "Oct 2022",
    },
    "zh-hans": {
        "progress": "再有 2 笔物流订单即可享受 物流订单已计入3笔，共需5笔",
        "ends": "10月1日 14:59",
        "given": "8 张优惠券 10月15日到账",
        "rank": "您目前排在第1位，前3,000位可得。",
        "issued": "使用 8 张优惠券，共 200.00 CNY",
        "told": "您已获得8张 25.00 CNY 优惠券。",
        "compare": "420.00 CNY 395.00 CNY",
        "attached": "已为该订单使用一张 25.00 CNY 优惠券。",
        "returned": "优惠券已退回您的卡包。",
        "redeemed": "已使用",
        "saved": "2022年10月",
    },
}


@pytest.mark.parametrize(
    ("language", "width", "javascript"),
    [("en", 1280, True), ("zh-hans", 390, True), ("zh-hans", 390, False)],
)
def test_from_three_of_five_shipments_to_a_redeemed_coupon(
    owner: Member, reader: Open, language: str, width: int, javascript: bool
) -> None:
    who, says = reader(language, width, java_script_enabled=javascript), WORDS[language]
    sign_in(who)
    assert says["progress"] in who.words()
    assert says["ends"] in who.words()
    who.page.click("#offer-express-coupons .offer-name")
    assert says["ends"] in who.words()

    freight("F3", placed_at="20", paid_at="20 02:00", shipped_at="21")
    freight("F4", placed_at="20", paid_at="20 02:00", shipped_at="22")
    pass_time("23")
    who.open("/")
    assert says["given"] in who.words()
    assert says["rank"] in who.words()

    pass_time("10-15 07:00")
    who.open("/")
    assert says["issued"] in who.words()
    who.open("/messages/")
    assert says["told"] in who.words()

    freight("F9", placed_at="10-15 08:00", base_freight=Decimal("420.00"))
    pass_time("10-15 09:00")
    who.open("/wallet/")
    assert "× 8" in who.words()
    use_first_coupon(who, says)
    assert Coupon.objects.get(status="locked").order_no == "F9"
    who.open("/wallet/?state=locked")
    who.page.click("article.coupon form button")
    assert says["returned"] in who.words()
    assert not Coupon.objects.filter(status="locked").exists()
    clock("10-15 09:00:01")
    who.open("/orders/freight/F9/")
    use_first_coupon(who, says)

    FreightOrder.objects.filter(pk="F9").update(paid_at=t("10-15 10:00"), batch=batch())
    pass_time("10-15 11:00")
    who.open("/wallet/?state=redeemed")
    assert says["redeemed"] in who.words()
    assert "F9" in who.words()
    who.open("/savings/")
    assert says["saved"] in who.words()
    assert "25.00 CNY" in who.words()
    assert who.complaints == []


def use_first_coupon(who: Reader, says: dict[str, str]) -> None:
    """Compare the freight before and after, and use the coupon that is chosen."""
    assert says["compare"] in who.words()
    who.page.click(".form-foot button")
    assert says["attached"] in who.words()


def pages(owner: Member) -> list[str]:
    """Return the address of every page, each with data."""
    for n in (3, 4):
        freight(f"F{n}", placed_at="20", paid_at="20 02:00", shipped_at="21")
    pass_time("10-15 07:00")
    freight("F9", placed_at="10-15 08:00", paid_at="10-15 08:30", use_coupon=True)
    pass_time("10-15 09:00")
    coupon = Coupon.objects.get(status="redeemed")
    return [
        "/", "/offers/express-coupons/", "/offers/service-fee-half/", "/orders/", "/orders/trade/",
        "/orders/financing/", "/orders/freight/F9/", "/orders/freight/F0/", "/wallet/", "/wallet/?state=redeemed",
        "/more/", "/help/", "/account/sessions/", "/account/second-step/",
        f"/wallet/{coupon.code}/", "/savings/", "/messages/", "/team/", "/account/", "/account/password/",
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "width", "scheme"), [("en", 1280, "light"), ("zh-hans", 390, "dark")])
def test_every_page_is_accessible_and_fits(owner: Member, reader: Open, language: str, width: int, scheme: str) -> None:
    mate = member("mate@example.com", role="sub")
    who = reader(language, width, color_scheme=scheme)
    for path in ("/sign-in/", "/password/", "/password/sent/", "/password/x/y/"):
        who.open(path)
        who.check()
    paths = pages(owner)
    sign_in(who)
    for path in paths:
        who.open(path)
        who.check(BY_LOOKS if scheme == "dark" else ())
    who.open("/nothing/", status=404)
    who.complaints.clear()  # the browser logs the 404 itself
    who.check()
    other = reader(language, width, color_scheme=scheme)
    sign_in(other, mate.user.username)
    other.open("/team/", status=403)
    other.complaints.clear()
    other.check()


def test_an_operator_views_the_dashboard_and_leaves(owner: Member, reader: Open) -> None:
    User.objects.create_superuser("ana", password=PASSWORD)
    who = reader("en", 1280)
    sign_in(who, "ana")
    who.open("/admin/merchants/merchant/M1/change/")
    who.page.click("text=View the dashboard as this merchant")
    assert "You (ana) are viewing the dashboard of M1 远帆贸易." in who.words()
    who.check()
    who.open("/orders/freight/F0/")
    who.check()
    who.page.click("text=Leave")
    assert who.page.url.endswith("/admin/merchant/M1/")


def test_home_refreshes_itself(owner: Member, reader: Open) -> None:
    who = reader("en", 1280)
    who.page.clock.install()
    sign_in(who)
    who.page.wait_for_load_state()  # htmx sets its timers then
    assert "3 of 5 freight orders counted" in who.words()
    freight("F3", placed_at="19", shipped_at="19 12:00")
    with who.page.expect_response("**/"):
        who.page.clock.fast_forward(61_000)
    expect(who.page.locator("#home")).to_contain_text("4 of 5 freight orders counted")
    assert who.complaints == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_link_of_the_bar_on_phones_wraps(owner: Member, reader: Open, language: str) -> None:
    who = reader(language, 390)
    sign_in(who)
    heights = who.page.eval_on_selector_all(".bottomnav a", "links => links.map(link => link.clientHeight)")
    assert len(heights) == 5
    assert len(set(heights)) == 1
    assert heights[0] < 56


def test_print_hides_the_navigation(owner: Member, reader: Open) -> None:
    who = reader("en", 1280)
    sign_in(who)
    who.page.emulate_media(media="print")
    expect(who.page.locator("header.topbar")).to_be_hidden()
    expect(who.page.locator(".card").first).to_be_visible()


def test_from_the_invitation_to_the_first_visit(owner: Member, reader: Open) -> None:
    who = reader("en", 1280)
    sign_in(who)
    who.open("/team/")
    who.page.fill("[name=email]", "new@example.com")
    who.page.select_option("select[name=language]", "en")
    who.page.click("text=Send invitation")
    assert "Invitation sent to new@example.com." in who.words()
    link = next(word for word in mail.outbox[-1].body.split() if "/password/" in word)
    new = reader("en", 390)
    new.open(link)
    new.check()
    new.page.fill("[name=new_password1]", "my-own-little-fair")
    new.page.fill("[name=new_password2]", "my-own-little-fair")
    new.page.click("main form button")
    assert "September purchasing festival 2022" in new.words()
