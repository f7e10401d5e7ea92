"""Order pages: the benefit, or the reason why not, as of the page's instant."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from merchants.models import Member, ServicePackage
from tests.support.members import client, clock, text, visible
from tests.support.scenarios import coupon_offer, threshold_offer
from tests.support.world import draw, freight, offer, publish, receipt, t, tell, tick, trade

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
NTH = "{nth: {number: 5, of: freight_orders, at: shipped_at, where: [{fact: service, is: express}]}}"
FROM_500 = "[{fact: merchant.country, is: CN}, {fact: base_freight, at_least: 500.00}]"


def test_an_order_shows_its_benefit_or_what_is_missing(owner: Member) -> None:
    publish(offer("o", conditions=FROM_500, quota="{limit: 1}"))
    freight("A", placed_at="01", paid_at="02 10:00", base_freight=Decimal("500.00"))
    freight("B", placed_at="01", paid_at="02 11:00", base_freight=Decimal("480.00"))
    freight("C", placed_at="01", paid_at="02 12:00", base_freight=Decimal("900.00"))
    freight("D", placed_at="01")
    tick("03")
    page = visible(client(owner), "/orders/")
    assert "A Paid 1 Sep, 08:00 · express · China–US charter select · 500.00 CNY Settled 50.00 CNY o" in page
    assert "Requirement not met o Base freight is at least 500.00 (found: 480.00 CNY, 20.00 CNY short)" in page
    assert "900.00 CNY Quota used up o" in page
    assert "D Placed 1 Sep, 08:00 · express · China–US charter select · 1,000.00 CNY Not claimed yet o" in page


def test_in_chinese(owner: Member) -> None:
    publish(offer("o", conditions=FROM_500))
    freight("B", placed_at="01", paid_at="02", base_freight=Decimal("480.00"))
    tick("03")
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    page = visible(browser, "/orders/")
    assert "B 已支付 9月1日 08:00" in page
    assert "未满足要求 o 基础运费不低于500.00（实际：480.00 CNY，还差20.00 CNY）" in page


def test_a_smaller_discount_on_the_same_fee_is_explained(owner: Member) -> None:
    publish(offer("small") + offer("large", benefit="{fee: freight, percent: 20}"))
    freight("A", placed_at="01", paid_at="02")
    tick("03")
    page = visible(client(owner), "/orders/")
    assert "Settled 200.00 CNY large" in page
    assert "Another benefit reduces the same fee small" in page


def test_an_order_shows_every_condition_with_the_actual_value(owner: Member) -> None:
    publish(offer("o", conditions=FROM_500))
    freight("B", placed_at="01", paid_at="02", base_freight=Decimal("480.00"))
    tick("03")
    page = visible(client(owner), "/orders/freight/B/")
    assert "Requirement not met Claimed 2 Sep, 08:00" in page
    assert "Met: Country is China You have: China" in page
    assert "Not met: Base freight is at least 500.00 20.00 CNY short You have: 480.00 CNY" in page
    assert "Paid at 2 Sep 2022, 08:00 Beijing" in page


def test_later_events_are_not_shown(owner: Member) -> None:
    publish(offer("o"))
    freight("NOW", placed_at="02", paid_at="03 00:00:01")
    freight("LATER", placed_at="03 00:00:01")
    browser = client(owner)
    page = visible(browser, "/orders/")
    assert "NOW Placed" in page
    assert "LATER" not in page
    assert "Paid at" not in text(browser, "/orders/freight/NOW/")
    text(browser, "/orders/freight/LATER/", status=404)
    clock("03 00:00:01")
    assert "NOW Paid" in visible(browser, "/orders/")
    assert "LATER Placed" in text(browser, "/orders/freight/LATER/")


def test_an_order_shows_the_offers_it_counts_towards(owner: Member) -> None:
    publish(coupon_offer(claim=NTH))
    freight("A", placed_at="01", shipped_at="02")
    freight("B", placed_at="01")
    page = visible(client(owner), "/orders/")
    assert "1,000.00 CNY Counts towards: c" in page
    assert "1,000.00 CNY Counts once shipped: c" in page


def test_an_order_that_may_still_count_says_what_for(owner: Member) -> None:
    where = (
        "[{fact: service, is: express}, {fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-04 23:59:59}}, "
        "{fact: cancelled_at, happened: no}]"
    )
    publish(coupon_offer(claim=f"{{nth: {{number: 5, of: freight_orders, at: shipped_at, where: {where}}}}}"))
    paid = {"placed_at": "01", "paid_at": "02"}
    freight("SHIPPED", **paid, shipped_at="02 10:00")
    freight("PAID", **paid)
    freight("PLACED", placed_at="01")
    freight("CANCELLED", **paid, cancelled_at="02 11:00")
    freight("SEA", **paid, service="sea_fcl")
    browser = client(owner)

    def told() -> dict[str, str]:
        rows = browser.get("/orders/").context["rows"]
        return {row.order.pk: " ".join(f"{each.label} {each.offer.code}" for each in row.counts_for) for row in rows}

    later = {"PAID": "Counts once shipped: c", "PLACED": "Counts once paid and shipped: c"}
    assert told() == {"SHIPPED": "Counts towards: c", **later, "CANCELLED": "", "SEA": ""}
    assert "PAID Paid Offers Counts once shipped: c Order details" in visible(browser, "/orders/freight/PAID/")
    browser.cookies["django_language"] = "zh-hans"
    assert told()["PLACED"] == "支付并发货后计入： c"
    assert told()["PAID"] == "发货后计入： c"
    clock("04 23:59:59")
    assert told()["PLACED"] == "支付并发货后计入： c"
    clock("05")  # the payments are over
    assert (told()["PAID"], told()["PLACED"]) == ("发货后计入： c", "")


def test_an_order_that_is_too_late_is_told_so(owner: Member) -> None:
    in_time = "{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-03 23:59:59}}"
    state = "{not_in_force: service_package, of: [onetouch_3n]}"
    publish(
        offer("o", conditions=f"[{in_time}]")
        + offer("p", conditions=f"[{in_time}, {state}]", benefit="{fee: freight, percent: 20}")
    )
    freight("A", placed_at="01")
    tell(ServicePackage, merchant_id="M1", package="onetouch_3n", starts_at=t("01"))
    browser = client(owner)

    def outcomes() -> list[tuple[str, str]]:
        [row] = browser.get("/orders/").context["rows"]
        return [(result.explanation.offer, result.outcome) for result in row.results]

    assert outcomes() == [("o", "Not claimed yet"), ("p", "Not applicable to your company")]
    clock("03 23:59:59")
    assert outcomes()[0] == ("o", "Not claimed yet")
    clock("04")
    assert outcomes() == [("o", "Offer ended for this order"), ("p", "Not applicable to your company")]


def test_a_limit_names_the_orders_that_used_it(owner: Member) -> None:
    publish(offer("o", quota="{limit: 9, per_merchant: 2}"))
    for n, name in enumerate(("A", "B", "C")):
        freight(name, placed_at="01", paid_at=f"02 1{n}:00")
    tick("03")
    browser = client(owner)
    page = visible(browser, "/orders/freight/C/")
    assert "Limit per merchant reached Claimed 2 Sep, 20:00 The limit is 2 for each merchant. Used by: A, B" in page
    assert '<a class="code" href="/orders/freight/A/">A</a>' in browser.get("/orders/freight/C/").content.decode()
    assert "Claimed 2 Sep, 18:00 · number 1 in line" in visible(browser, "/orders/freight/A/")


def test_lists_of_conditions_can_be_opened(owner: Member) -> None:
    lines = "{fact: line, in: {names: {en: both lines, zh: 两条线路}, values: [us-charter-select, general-select]}}"
    publish(offer("o", conditions=f"[{lines}]", where="[{fact: service, is: express}]"))
    freight("A", placed_at="01", paid_at="02")
    freight("SEA", placed_at="01", service="sea_fcl")
    tick("03")
    browser = client(owner)
    for path in ("/offers/o/", "/orders/freight/A/"):
        assert "Both lines China–US charter select General cargo select" in visible(browser, path)
    assert "Does not apply to this order Service is express (found: " in visible(browser, "/orders/freight/SEA/")
    assert "requirements met" not in visible(browser, "/offers/o/")
    assert " of 0 met" not in visible(browser, "/offers/o/")


def test_a_number_is_searched_in_the_other_lists_too(owner: Member, stranger: Member) -> None:
    trade("X-77", drafted_at="01")
    trade("X-78", drafted_at="02")
    freight("F1", placed_at="01")
    browser = client(owner)
    page = visible(browser, "/orders/?q=x-7&benefit=without")
    assert "Found under Trade orders: X-78, X-77 No order fits these filters" in page
    links = browser.get("/orders/?q=x-7&benefit=without&after=").content.decode()
    assert 'href="/orders/trade/X-77/"' in links
    assert 'href="/orders/trade/?q=x-7&amp;benefit=without"' in links
    assert "Found under" not in visible(browser, "/orders/?q=f1")
    assert "Found under" not in visible(client(stranger), "/orders/?q=x-7")
    assert "To The end is before the start." in visible(browser, "/orders/?since=2022-09-03&until=2022-09-02")
    assert "The end is before" not in visible(browser, "/orders/?since=2022-09-02&until=2022-09-02")


def test_an_order_shows_the_receipts_missing_to_the_threshold(owner: Member) -> None:
    publish(threshold_offer())
    trade("T1", drafted_at="01")
    trade("T2", drafted_at="01")
    receipt("R1", "T1", "02", amount=60)
    receipt("R2", "T2", "02 10:00", amount=60)
    tick("03")
    page = visible(client(owner), "/orders/trade/")
    assert (
        "Not claimed yet half Receipts before this order of at least 100.00 USD (found: 60.00 USD, 40.00 USD short)"
        in page
    )


def test_financing_draws(owner: Member) -> None:
    half = "{fee: financing_fee, percent: 40}"
    publish(offer("f", subject="financing_draw", claim="{at: drawn_at}", benefit=half, settlement=""))
    draw("D1", "02")
    tick("03")
    assert "D1 Drawn 2 Sep, 08:00 · letter of credit, after documents · 100.00 USD" in visible(
        client(owner), "/orders/financing/"
    )


def test_pagination_shows_every_order_once(owner: Member) -> None:
    for n in range(45):
        freight(f"F{n:02}", placed_at="01" if n < 30 else "02")  # many at one instant
    browser, path, seen = client(owner), "/orders/", []
    for _ in range(3):
        response = browser.get(path)
        seen.append([row.order.pk for row in response.context["rows"]])
        path = f"/orders/?{urlencode({'after': response.context['page'].after})}"
    expected = [f"F{n:02}" for n in range(44, -1, -1)]
    assert seen == [expected[:20], expected[20:40], expected[40:]]
    assert response.context["page"].after == ""
    for nonsense, status in (("x", 404), ("2022-09-01 F1", 404), ("%00", 400)):
        assert browser.get(f"/orders/?after={nonsense}").status_code == status


@pytest.mark.parametrize("orders", [1, 3])
def test_the_number_of_queries_depends_only_on_offers(owner: Member, orders: int) -> None:
    publish(offer("o") + offer("p", benefit="{fee: freight, percent: 20}") + coupon_offer(claim=NTH))
    for n in range(orders):
        freight(f"F{n}", placed_at="01", paid_at="02", shipped_at="02 10:00")
    tick("03")
    browser = client(owner)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/orders/")
    # session, user with its member, clock, orders, offers, one for each of three offers, coupons, unread messages
    assert len(queries) == 11


def test_what_excludes_the_merchant_stands_once_above_the_list(owner: Member) -> None:
    publish(offer("abroad", conditions="[{fact: merchant.country, is: US}]"))
    for name in ("A", "B"):
        freight(name, placed_at="01", paid_at="02")
    tick("03")
    page = visible(client(owner), "/orders/")
    assert page.count("1 offer is not available to your company abroad") == 1
    assert page.count("No offer applies to this order.") == 2


def found(browser: Client, query: str) -> list[str]:
    return [row.order.pk for row in browser.get(f"/orders/?{query}").context["rows"]]


def test_orders_are_found_by_number_date_and_benefit(owner: Member) -> None:
    publish(offer("o"))
    freight("SO/2022/1", placed_at="01 15:59:59", paid_at="02")  # 1 September in Beijing
    freight("SO/2022/2", placed_at="01 16:00:00")  # 2 September in Beijing
    freight("X9", placed_at="02 15:59:59")
    tick("03")
    browser = client(owner)
    assert found(browser, "") == ["X9", "SO/2022/2", "SO/2022/1"]
    assert found(browser, "q=so/2022") == ["SO/2022/2", "SO/2022/1"]
    assert found(browser, "q=ＳＯ／2022/1") == ["SO/2022/1"]
    assert found(browser, "since=2022-09-02") == ["X9", "SO/2022/2"]
    assert found(browser, "until=2022-09-01") == ["SO/2022/1"]
    assert found(browser, "since=2022-09-02&until=2022-09-02&q=x") == ["X9"]
    assert found(browser, "number=X9&number=SO/2022/1") == ["X9", "SO/2022/1"]
    assert found(browser, "benefit=with") == ["SO/2022/1"]
    assert found(browser, "benefit=without") == ["X9", "SO/2022/2"]
    assert found(browser, "since=nonsense") == ["X9", "SO/2022/2", "SO/2022/1"]
    assert "Enter a valid date." in text(browser, "/orders/?since=nonsense")
    assert "No order fits these filters" in text(browser, "/orders/?q=nothing")


def test_what_an_order_has_comes_first_and_what_never_applies_is_folded(owner: Member) -> None:
    publish(
        offer("a-abroad", conditions="[{fact: merchant.country, is: US}]", benefit="{fee: freight, percent: 30}")
        + offer("b-sea", where="[{fact: service, is: sea_fcl}]", benefit="{fee: freight, percent: 20}")
        + offer(
            "c-large", conditions="[{fact: base_freight, at_least: 5000.00}]", benefit="{fee: freight, percent: 15}"
        )
        + offer("d-ten")
    )
    freight("A", placed_at="01", paid_at="02")
    tick("03")
    browser = client(owner)
    [row] = browser.get("/orders/").context["rows"]
    assert [result.explanation.offer for result in row.shown] == ["d-ten", "c-large"]
    assert [result.explanation.offer for result in row.excluded] == ["a-abroad"]
    page = visible(browser, "/orders/")
    assert page.count("1 offer is not available to your company") == 1
    assert "United States" not in page
    detail = text(browser, "/orders/freight/A/")
    assert "2 offers that do not apply" in detail
    assert detail.index("d-ten") < detail.index("c-large") < detail.index("2 offers that do not apply")
    assert detail.index("2 offers that do not apply") < detail.index("a-abroad")
    assert "Country is United States" in detail
