"""Claims that recur: each merchant in each part of a period, rebates for it, late merchants and facts, corrections."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils.translation import override

from campaigns.eligibility.explanations import explain
from campaigns.engine import ticker
from campaigns.models import Decision, Grant
from campaigns.offers import published_offers
from definitions.errors import DefinitionError
from definitions.offer_sentences import describe_terms
from definitions.parser import read
from recurring.models import MerchantPeriod
from tests.support.members import client, clock, member, words
from tests.support.world import HEADING, correct, merchant, offer, publish, review, t, tick, trade
from trade.models import TradeOrder

pytestmark = pytest.mark.django_db

SALES = (
    "{sum: trade_orders.amount_usd, where: [{fact: cancelled_at, happened: no}], over: {period: own, at: shipped_at}}"
)
REBATE = {
    "subject": "merchant_period",
    "claim": "{each: week, during: {from: 2022-09-05 00:00:00, to: 2022-09-25 24:00}, at: ends_at}",
    "conditions": "[{fact: benefit, more_than: 0.00}]",
    "benefit": f"{{fee: rebate, of: {{measure: {SALES}}}, percent: 10, at_most: 50.00, currency: USD}}",
    "settlement": "",
    "quota": "[{of: amount, at_most: 60.00, currency: USD, per: merchant, in: month, last: partly}]",
}
COUPONS = {
    "subject": "merchant_period",
    "claim": "{each: {sessions: [{from: 2022-09-05 00:00:00, to: 2022-09-05 12:00:00},"
    " {from: 2022-09-07 00:00:00, to: 2022-09-07 12:00:00}]}, at: starts_at}",
    "benefit": "{coupons: {count: 1, value: 5.00, currency: CNY,"
    " valid: {from: 2022-09-01 00:00:00, to: 2022-10-31 23:59:59}, where: [{fact: service, is: express}]}}",
    "settlement": "",
    "quota": "",
}


def found() -> dict[str, str]:
    """Return the results of merchants and periods: amount of the grant, or how the claim was decided."""
    decisions = {d.subject: Decision.Outcome(d.outcome).name.lower() for d in Decision.objects.all()}
    amounts = {grant.subject: f"{grant.amount} {grant.currency}" for grant in Grant.objects.all()}
    return {subject.rpartition("/")[0]: result for subject, result in (decisions | amounts).items()}


def given_sales() -> None:
    """Record sales of M1 on both sides of each bound of the weeks, and of M2."""
    merchant()
    merchant("M2")
    for number, at, amount in (
        ("T0", "04 23:59", 999), ("T1", "05", 100), ("T2", "11 23:59", 20), ("T3", "12", 700), ("T4", "19", 90),
    ):  # fmt: skip
        trade(number, shipped_at=at, amount_usd=Decimal(amount))
    trade("T5", "M2", shipped_at="13", amount_usd=Decimal(30), cancelled_at="13")


WANTED = {
    "M1/2022-W36": "12.00 USD",
    "M2/2022-W36": "refused",
    "M1/2022-W37": "48.00 USD",  # 10 % of 700.00 = 70.00, at most 50.00, of which the month has 48.00 left
    "M2/2022-W37": "refused",
}


@pytest.mark.parametrize("stops", [("20",), ("06", "12", "13", "19", "19", "20"), ("12", "20")])
def test_each_week_is_paid_after_it_whatever_the_steps(stops: tuple[str, ...]) -> None:
    given_sales()
    publish(offer("o", **REBATE))
    for stop in stops:
        tick(stop)
    assert found() == WANTED
    assert MerchantPeriod.objects.count() == 6  # the week that has begun is written, and has not claimed
    tick("27")
    assert found() == {**WANTED, "M1/2022-W38": "merchant_cap", "M2/2022-W38": "refused"}
    tick("2022-12-01")
    assert len(found()) == 6  # no week starts after the window


def test_a_merchant_that_is_reported_late_claims_for_the_periods_before() -> None:
    given_sales()
    publish(offer("o", **REBATE))
    tick("20")
    merchant("M3")
    trade("T6", "M3", shipped_at="06", amount_usd=Decimal(40))
    tick("20 01:00")
    assert found() == {**WANTED, "M3/2022-W36": "4.00 USD", "M3/2022-W37": "refused"}
    tick("20 02:00")
    assert MerchantPeriod.objects.count() == 9


def test_nothing_is_missed_where_the_tick_ends_after_the_periods_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    given_sales()
    publish(offer("o", **REBATE))
    tick("05")
    with monkeypatch.context() as patch:
        patch.setattr(ticker, "_claims", lambda *_args, **_options: (_ for _ in ()).throw(KeyboardInterrupt))
        merchant("M3")
        with pytest.raises(KeyboardInterrupt):
            tick("20")
    tick("20 01:00")
    assert {name for name in found() if name.startswith("M3")} == {"M3/2022-W36", "M3/2022-W37"}


def test_late_and_corrected_facts_mark_the_rebate() -> None:
    given_sales()
    publish(offer("o", **REBATE))
    tick("20")
    (first, second) = Grant.objects.order_by("claimed_at").values_list("subject", flat=True)
    correct(TradeOrder, "T1", cancelled_at="12 00:01")  # after the claim: nothing changes
    tick("21")
    assert (review(first), review(second)) == ("", "")
    trade("T7", shipped_at="06", amount_usd=Decimal(1))
    tick("22")
    assert "12.10" in Grant.objects.get(subject=first).review or review(first)
    assert review(second) == ""
    assert found() == WANTED


def test_a_claim_at_the_start_of_each_session_gives_coupons() -> None:
    merchant()
    merchant("M2", country="US")
    publish(offer("o", **COUPONS))
    tick("06")
    assert found() == {"M1/2022-09-05T00:00:00Z": "5.00 CNY", "M2/2022-09-05T00:00:00Z": "refused"}
    tick("08")
    assert sorted(found()) == [f"M{n}/2022-09-0{day}T00:00:00Z" for n in (1, 2) for day in (5, 7)]


def test_two_rebates_for_the_same_months_add_up_and_are_explained() -> None:
    given_sales()
    publish(offer("o", **REBATE) + offer("p", **{**REBATE, "quota": "", "conditions": "everyone"}))
    tick("12")
    assert sorted(Grant.objects.values_list("offer__code", "amount")) == [
        ("o", Decimal("12.00")), ("p", Decimal("0.00")), ("p", Decimal("12.00")),
    ]  # fmt: skip
    refused = Decision.objects.get(outcome=Decision.Outcome.REFUSED).subject
    (benefit,) = [one for one in explain(published_offers.find("o"), refused, at=t("12")).conditions if not one.passed]
    assert (benefit.name, benefit.found) == ("nothing_to_discount", Decimal("0.00"))


def test_sentences() -> None:
    terms = read(f"{HEADING}offers:\n{offer('o', **REBATE)}").offers[0]
    with override("en"):
        assert describe_terms(terms).benefit == (
            "rebate of 10%, of: sum of amount in USD of the trade orders; with: not cancelled; "
            "shipped in the period of the claim, at most 50.00 USD"
        )
        assert describe_terms(terms).claim == (
            "each merchant, each calendar week (UTC time) of those that start from 5 Sep 2022, 08:00 Beijing to "
            "26 Sep 2022, 07:59 Beijing: when it has ended"
        )
    with override("zh-hans"):
        assert describe_terms(terms).benefit.startswith("返还10%")
        assert describe_terms(terms).claim.startswith("每个商家")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"claim": "{at: ends_at}"}, "subject: merchant_period and each belong together"),
        ({"claim": "{each: week, at: ends_at}"}, "during is missing"),
        ({"claim": "{during: {from: 2022-09-05 00:00:00, to: 2022-09-25 24:00}, at: ends_at}"}, "belongs to each"),
        ({"benefit": "{fee: rebate, percent: 10, currency: USD}"}, "needs the measure"),
        (
            {"benefit": f"{{fee: rebate, of: {{measure: {SALES}}}, percent: 10, currency: CNY}}"},
            "no amount in",
        ),
        ({"subject": "merchant", "benefit": COUPONS["benefit"]}, "merchant_period and each belong together"),
    ],
)
def test_what_cannot_recur_is_refused(parts: dict[str, str], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(f"{HEADING}offers:\n{offer('o', **{**REBATE, **parts})}")
    assert message in str(caught.value)


def test_own_periods_belong_to_subjects_that_are_periods() -> None:
    with pytest.raises(DefinitionError, match="own: freight_orders are no periods"):
        read(f"{HEADING}offers:\n{offer('o', conditions=f'[{{measure: {SALES}, at_least: 1}}]')}")


def test_pages_show_a_rebate(admin_client: Client) -> None:
    given_sales()
    publish(offer("o", **REBATE))
    tick("20")
    browser = client(member("m@example.com"))
    clock("20")
    subject = Grant.objects.order_by("claimed_at").values_list("subject", flat=True)[0]
    for of, address in (
        (admin_client, "/admin/offers/o/"),
        (admin_client, f"/admin/eligibility/?q={subject}"),
        (browser, "/"),
        (browser, "/offers/o/"),
        (browser, "/savings/"),
    ):
        for language in ("en", "zh-hans"):
            answer = of.get(address, headers={"accept-language": language}, follow=True)
            assert answer.status_code == 200, address
    page = words(browser.get("/offers/o/", headers={"accept-language": "en"}).content.decode())
    assert "rebate of 10%" in page.lower()
