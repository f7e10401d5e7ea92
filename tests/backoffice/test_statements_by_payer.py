"""Parts that each party pays: statements, files, costs of an offer and savings of a merchant, to the cent."""

import csv
import io
import random
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.http import FileResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from campaigns.grants import revocations
from campaigns.ledger import funding, statements
from campaigns.models import Grant
from campaigns.offers.published_offers import find
from campaigns.reporting import offer_metrics
from definitions.funding import PAYERS, split
from tests.support.members import text
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER = date(2022, 9, 1), date(2022, 10, 1)
OTHER = "[{fact: line, is: other}]"
THIRDS = "{merchant: 1, platform: 2}"


def plain(month: date) -> dict[str, list[str]]:
    """Return the figures of each payer and currency: settled, reversed, redeemed, returned, total."""
    return {f"{each.payer} {each.currency}": [*map(str, each.figures)] for each in statements.by_payer(month)}


def check_sums(month: date) -> None:
    """Check that the payers together pay what the statement says, line by line."""
    sums: dict[tuple[str, ...], list[Decimal]] = {}
    for _month, _payer, *key, settled, reversed_, redeemed, returned, _total in statements.rows_by_payer(month):
        before = sums.get((*map(str, key),), [Decimal(0)] * 4)
        figures = (settled, reversed_, redeemed, returned)
        sums[(*map(str, key),)] = [old + Decimal(str(new)) for old, new in zip(before, figures, strict=True)]
    assert sums == {
        (line.offer, line.merchant, line.currency): [line.settled, line.reversed, line.redeemed, line.returned]
        for line in statements.lines(month)
    }


@pytest.mark.parametrize(
    "shares", ["{merchant: 1, platform: 2}", "{carrier: 7, platform: 1000, merchant: 13}", "{carrier: 5}"]
)
def test_the_database_splits_as_the_function_does(shares: str) -> None:
    dice = random.Random(5)
    whole = {"conditions": "everyone", "benefit": "{fee: freight, percent: 100}"}
    other = offer("g", conditions="everyone", where=OTHER, benefit="{fee: freight, percent: 90}")
    publish(offer("f", where="[{fact: line, is: this}]", funded_by=shares, **whole) + other)
    for n in range(40):
        merchant(f"M{n}")
        cents = dice.choice((n, dice.randrange(10**6), dice.randrange(10**14)))
        currency = dice.choice(("CNY", "USD", "JPY"))
        line = "other" if n == 0 else "this"
        freight(f"F{n}", of=f"M{n}", paid_at="05", base_freight=Decimal(cents) / 100, currency=currency, line=line)
    tick("06")
    found = funding.version_shares()
    terms = {offer.id: offer.terms.funded_by for offer in (find("f"), find("g"))}
    amounts = {f"by_{payer}": found.of(payer) for payer in PAYERS}
    rows = list(Grant.objects.annotate(**amounts))
    assert len(rows) == 40
    for row in rows:
        paid = split(row.amount, terms[row.offer_id], row.currency)
        wanted = {payer: paid.get(payer, Decimal("0.00")) for payer in PAYERS}
        assert {payer: getattr(row, f"by_{payer}").quantize(Decimal("0.01")) for payer in PAYERS} == wanted
    check_sums(SEPTEMBER)


def test_reversals_are_paid_back_by_those_who_paid() -> None:
    """10 % of 100.01 is 10.00: the platform pays 6.66, and the merchant, named first, the odd cent too."""
    merchant()
    merchant("M2")
    publish(offer("f", where="[{fact: line, is_not: other}]", funded_by=THIRDS) + offer("own", where=OTHER))
    freight("F1", paid_at="05", base_freight=Decimal("100.01"), cancelled_at="10-05")
    freight("F2", of="M2", paid_at="05", base_freight=Decimal("0.50"))
    freight("F3", of="M2", paid_at="05", line="other", base_freight=Decimal(70))
    tick("10-06")
    revocations.revoke(Grant.objects.get(subject="F2"), at=t("10-07"), by="ana", reason="x")
    assert plain(SEPTEMBER) == {
        # Of F1 6.66, of F2 0.03 (two thirds of 0.05), and F3 whole: its offer names nobody.
        "platform CNY": ["13.69", "0.00", "0.00", "0.00", "13.69"],
        "merchant CNY": ["3.36", "0.00", "0.00", "0.00", "3.36"],
    }
    assert plain(OCTOBER) == {
        "platform CNY": ["0.00", "6.69", "0.00", "0.00", "-6.69"],
        "merchant CNY": ["0.00", "3.36", "0.00", "0.00", "-3.36"],
    }
    for month in (SEPTEMBER, OCTOBER):
        check_sums(month)
    assert statements.by_payer(SEPTEMBER, only="M1")[0].figures[0] == Decimal("6.66")
    assert [each.figures[0] for each in statements.by_payer(SEPTEMBER, offer="own")] == [Decimal("7.00")]


def test_a_coupon_is_split_by_what_it_took_off() -> None:
    """On an order of 10.00 a coupon of 25.00 is worth 9.99: the carrier pays 3.33 of it, not a third of 25.00."""
    merchant()
    freight("F0", placed_at="01", paid_at="01", shipped_at="02")
    freight("G", placed_at="03", paid_at="04", cancelled_at="10-05", use_coupon=True, base_freight=10)
    publish(EXPRESS_COUPONS.rstrip() + "\n    funded_by: {platform: 2, carrier: 1}\n")
    tick("10-01")
    costs = offer_metrics.costs_by_payer(find("eight"))["CNY"]
    assert [(str(each.label), str(each.spent), str(each.promised)) for each in costs] == [
        # The other coupon of 25.00 waits for an order: a third of it is 8.33, and the odd cent is the platform's.
        ("the platform", "6.66", "16.67"), ("the carrier", "3.33", "8.33"),
    ]  # fmt: skip
    tick("10-06")
    assert plain(SEPTEMBER) == {
        "platform CNY": ["0.00", "0.00", "6.66", "0.00", "6.66"],
        "carrier CNY": ["0.00", "0.00", "3.33", "0.00", "3.33"],
    }
    assert plain(OCTOBER)["carrier CNY"] == ["0.00", "0.00", "0.00", "3.33", "-3.33"]
    check_sums(OCTOBER)


def test_a_new_version_splits_only_what_it_decides() -> None:
    merchant()
    publish(offer("f"))
    freight("F1", paid_at="05")
    tick("06")
    assert plain(SEPTEMBER) == {}  # no offer names who pays
    publish(offer("f", funded_by="{merchant: 1, platform: 1}"), at="06")
    freight("F2", paid_at="07")
    tick("08")
    publish(offer("f", funded_by="{carrier: 1}"), at="08")
    freight("F3", paid_at="09")
    tick("10")
    assert {payer: figures[0] for payer, figures in plain(SEPTEMBER).items()} == {
        "platform CNY": "150.00", "merchant CNY": "50.00", "carrier CNY": "100.00",
    }  # fmt: skip
    check_sums(SEPTEMBER)
    costs = offer_metrics.costs_by_payer(find("f"))["CNY"]
    assert [(str(each.label), str(each.spent), str(each.promised)) for each in costs] == [
        ("the platform", "150.00", "0.00"), ("the merchant", "50.00", "0.00"), ("the carrier", "100.00", "0.00"),
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        list(statements.rows_by_payer(SEPTEMBER))
    assert len(queries) == 15  # five for each of three payers, for any number of merchants


def given_thirds() -> None:
    publish(offer("f", funded_by=THIRDS))
    freight("F1", paid_at="05", base_freight=Decimal("100.01"))
    tick("06")


def test_the_pages_and_files(staff: Staff) -> None:
    merchant()
    given_thirds()
    browser = staff("bo", "approver")
    page = text(browser, "/admin/statements/2022-09/")
    assert "The platform 6.66 0.00 0.00 0.00 6.66 CNY The merchant 3.34 0.00 0.00 0.00 3.34 CNY" in page
    lines = list(csv.reader(io.StringIO(file(browser, "by-payer.csv"))))
    assert lines == [
        statements.PAYER_COLUMNS,
        ["2022-09", "platform", "f", "M1", "CNY", "6.66", "0.00", "0.00", "0.00", "6.66"],
        ["2022-09", "merchant", "f", "M1", "CNY", "3.34", "0.00", "0.00", "0.00", "3.34"],
    ]
    answer = browser.get("/admin/statements/2022-09/statement.xlsx")
    assert isinstance(answer, FileResponse)
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))["By payer"]
    assert [list(row)[:5] for row in sheet.values] == [
        ["Payer", "Offer code", "Merchant code", "Currency", "Settled"],
        ["The platform", "f", "M1", "CNY", 6.66],
        ["The merchant", "f", "M1", "CNY", 3.34],
        ["The platform", None, "Total", "CNY", 6.66],
        ["The merchant", None, "Total", "CNY", 3.34],
    ]
    grant = Grant.objects.get()
    for page in (f"grant/{grant.pk}", f"journalentry/{grant.entries.get().pk}"):
        assert "the merchant 3.34 CNY and the platform 6.66 CNY" in text(browser, f"/admin/campaigns/{page}/change/")
    offer_page = text(browser, "/admin/offers/f/")
    assert "The platform 6.66 CNY 0.00 CNY The merchant 3.34 CNY 0.00 CNY" in offer_page
    assert "paid for in parts: 1/3 by the merchant and 2/3 by the platform" in offer_page


def file(browser: Client, name: str) -> str:
    answer = browser.get(f"/admin/statements/2022-09/{name}")
    assert isinstance(answer, FileResponse)
    return b"".join(answer.streaming_content).decode()
