"""Quotas as lists of bands: what is granted, what comes back, what new versions do to the counters."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from campaigns.engine import instant_claims
from campaigns.grants import reviews, revocations, transitions
from campaigns.grants.steps import StateChange
from campaigns.models import BandCounter, Decision, Grant, QuotaBand
from campaigns.offers import published_offers
from core.facts import SUBJECTS
from definitions.errors import DefinitionError
from logistics.facts import FREIGHT_ORDERS
from logistics.models import FreightOrder
from tests.support.world import (
    correct,
    everything,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    review,
    t,
    tick,
)

pytestmark = pytest.mark.django_db

IN_CNY = "{fee: freight, percent: 10, currency: CNY}"
PER_MONTH = "[{of: grants, at_most: 2, per: merchant, in: month}]"
PER_WEEK = "{of: amount, at_most: 900.00, currency: CNY, in: week}"
PARTLY = "[{of: amount, at_most: 250.00, currency: CNY, last: partly}]"


def counters() -> dict[str, int]:
    """Return what is taken, by the key of the counter, without counters that are empty."""
    return dict(BandCounter.objects.exclude(taken=0).values_list("key", "taken"))


def test_a_monthly_band_counts_each_merchant_and_month_by_the_claim() -> None:
    for code in ("M1", "M2"):
        merchant(code)
    publish(offer("o", quota="[{of: grants, at_most: 2, per: merchant, in: {calendar: month, zone: Asia/Shanghai}}]"))
    for order, at in (("A", "29 10:00"), ("B", "30 15:59:59"), ("C", "30 15:59:59.999"), ("D", "30 16:00")):
        freight(order, paid_at=at)
    freight("E", "M2", paid_at="30 15:00")
    tick("10-02")
    assert outcomes("o") == {"A": "granted", "B": "granted", "C": "merchant_cap", "D": "granted", "E": "granted"}
    assert counters() == {"M1 2022-09": 2, "M1 2022-10": 1, "M2 2022-09": 1}
    refused = Decision.objects.get(subject="C")
    assert (refused.band, refused.exceeded_by) == (0, 1)


def test_a_release_gives_back_to_the_month_of_its_claim() -> None:
    merchant()
    publish(offer("o", quota=PER_MONTH))
    for order in ("A", "B"):
        freight(order, paid_at="10")
    freight("C", paid_at="10-01")
    tick("10-02")
    correct(FreightOrder, "A", cancelled_at="10-03")
    freight("D", paid_at="30")  # late: claims of September find the place, but only from its release on
    freight("E", paid_at="10-04")
    freight("F", paid_at="10-05")
    tick("10-06")
    assert outcomes("o") == {
        "A": "granted", "B": "granted", "C": "granted", "D": "merchant_cap", "E": "granted", "F": "merchant_cap",
    }  # fmt: skip
    assert counters() == {"M1 2022-09": 1, "M1 2022-10": 2}


def test_the_last_grant_of_a_budget_gets_what_is_left_and_is_not_reviewed() -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota=PARTLY))
    for n in range(4):
        freight(f"F{n}", paid_at=f"02 1{n}:00")
    tick("03")
    assert [text.split()[1] for text in grants().values()] == ["100.00", "100.00", "50.00"]
    assert outcomes("o")["F3"] == "quota_exhausted"
    assert dict(Grant.objects.values_list("subject", "benefit")) == {"F0": None, "F1": None, "F2": Decimal(100)}
    assert Decision.objects.get(subject="F3").exceeded_by == 10000
    correct(FreightOrder, "F2", shipped_at="04")
    tick("05")
    assert review("F2") == ""
    correct(FreightOrder, "F2", base_freight=Decimal(900))
    tick("06")
    assert review("F2") == "the amount changed"
    correct(FreightOrder, "F2", base_freight=Decimal(1000), cancelled_at="07")
    freight("F4", paid_at="08", base_freight=Decimal("400.50"))
    freight("F5", paid_at="09")
    tick("10")
    assert grants()["o", "F4"] == "settled 40.05 CNY"
    assert grants()["o", "F5"] == "settled 9.95 CNY"
    assert counters() == {"": 25000}


def test_a_grant_that_does_not_fit_whole_is_refused_and_a_smaller_one_fits() -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota="[{of: amount, at_most: 250.00, currency: CNY}]"))
    for n, freight_cost in enumerate((1000, 1000, 501, 500, 0, 1)):
        freight(f"F{n}", paid_at=f"02 1{n}:00", base_freight=Decimal(freight_cost))
    tick("03")
    granted = {"F0": "granted", "F1": "granted", "F3": "granted", "F4": "granted"}
    assert outcomes("o") == {**granted, "F2": "quota_exhausted", "F5": "quota_exhausted"}
    assert Decision.objects.get(subject="F2").exceeded_by == 10
    assert Decision.objects.get(subject="F5").exceeded_by == 10


def test_revoked_grants_keep_what_they_took_and_reopened_ones_give_it_back() -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota=PARTLY))
    for n in range(3):
        freight(f"F{n}", paid_at=f"02 1{n}:00")
    tick("03")
    revocations.revoke(Grant.objects.get(subject="F0"), at=t("04"), by="ann", reason="fraud")
    assert counters() == {"": 25000}
    correct(FreightOrder, "F2", base_freight=Decimal(300))
    tick("05")
    reviews.reopen(Grant.objects.get(subject="F2", status="settled"), at=t("05"), by="ann", reason="wrong weight")
    assert counters() == {"": 20000}
    tick("06")
    assert Grant.objects.get(subject="F2", status="settled").amount == 30
    assert counters() == {"": 23000}


def test_steps_do_not_matter_and_instant_claims_decide_alike() -> None:
    merchant()
    quota = "[{of: amount, at_most: 250.00, currency: CNY, last: partly, in: day}, {of: grants, at_most: 3, in: week}]"
    publish(offer("o", benefit=IN_CNY, quota=quota))
    for n in range(8):
        freight(f"F{n}", paid_at=f"0{5 + n // 4} 1{n}:00", cancelled_at="05 13:30" if n == 0 else None)
    with transaction.atomic():
        tick("20")
        alone = everything()
        transaction.set_rollback(True)
    for at in ("05 10:30", "05 12:30", "05 13:30", "06 14:00", "20"):
        tick(at)
    assert everything() == alone
    assert counters() == {"2022-09-05": 15000, "2022-09-06": 10000, "2022-W36": 3}
    granted = ["F0", "F1", "F2", "F4"]  # F2 gets 50.00; F4 the place that F0 gave back
    assert outcomes("o") == {f"F{n}": "granted" if f"F{n}" in granted else "quota_exhausted" for n in range(8)}
    assert grants()["o", "F2"] == "settled 50.00 CNY"


def test_an_instant_claim_finds_and_fills_the_band() -> None:
    merchant()
    publish(offer("o", quota=PER_MONTH))
    for n in range(4):
        freight(f"F{n}", paid_at=f"1{n}")
    given = [instant_claims.claim(f"F{n}", of="freight_order", at=t(f"1{n} 01:00"))[0] for n in range(3)]
    assert [Decision.Outcome(one.outcome).name for one in given] == ["GRANTED", "GRANTED", "MERCHANT_CAP"]
    assert (given[2].band, given[2].exceeded_by) == (0, 1)
    correct(FreightOrder, "F0", cancelled_at="13")
    instant_claims.claim("F0", of="freight_order", at=t("13 00:30"))
    [last] = instant_claims.claim("F3", of="freight_order", at=t("13 01:00"))
    assert last.outcome == Decision.Outcome.GRANTED
    assert counters() == {"M1 2022-09": 2}


def write_grants(amounts: list[int], units: str) -> None:
    """Write grants as an engine would that has miscounted what is left of the band."""
    row = published_offers.find("o").row
    band = QuotaBand.objects.get()
    steps = [StateChange("settled", t("08"), "settled at the claim")]
    transitions.award(
        [
            transitions.NewGrant(
                offer=row, subject=f"X{n}", merchant="M1", amount=Decimal(amount), currency="CNY", fee="",
                steps=steps, band_units={f"{band.pk}:{units}": amount * 100},
            )
            for n, amount in enumerate(amounts)
        ]
    )  # fmt: skip


def test_the_database_refuses_a_cent_too_many() -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota="[{of: amount, at_most: 250.00, currency: CNY}]"))
    freight("F0", paid_at="02")
    tick("03")
    before = (counters(), grants())
    with pytest.raises(IntegrityError, match="band_within_limit"), transaction.atomic():
        write_grants([100, 51], "")
    assert (counters(), grants()) == before
    with transaction.atomic():  # the control: as much as is left
        write_grants([100, 50], "")
        assert counters() == {"": 25000}
        transaction.set_rollback(True)


def test_versions_carry_the_counters_of_a_band_and_count_new_bands_anew() -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota=PER_MONTH))
    for n in range(3):
        freight(f"F{n}", paid_at=f"02 1{n}:00")
    freight("F3", paid_at="03", cancelled_at="05")
    tick("04")
    kept = QuotaBand.objects.get().pk
    publish(
        offer(
            "o",
            benefit=IN_CNY,
            quota=f"[{PER_MONTH[1:-1].replace('2', '3')}, {PER_WEEK}]",
        )
    )
    band = QuotaBand.objects.get(pk=kept)
    assert (band.at_most, band.counters.get().taken) == (3, 2)
    assert counters() == {"M1 2022-09": 2, "2022-W35": 20000}
    freight("G0", paid_at="04 01:00")
    tick("06")
    assert counters() == {"M1 2022-09": 3, "2022-W35": 30000}
    correct(FreightOrder, "F0", cancelled_at="07")  # granted before the second band was there
    tick("08")
    assert counters() == {"M1 2022-09": 2, "2022-W35": 20000}
    publish(offer("o", benefit=IN_CNY, quota=f"[{PER_WEEK}]"))
    assert counters() == {"2022-W35": 20000}
    correct(FreightOrder, "F1", cancelled_at="09")
    tick("10")
    assert counters() == {"2022-W35": 10000}


@pytest.mark.parametrize("before", ["[{of: amount, at_most: 900.00, currency: CNY}]", "{}"])
def test_a_budget_cannot_be_lower_than_what_is_taken(before: str) -> None:
    merchant()
    publish(offer("o", benefit=IN_CNY, quota=before))
    for n in range(2):
        freight(f"F{n}", paid_at="02")
    tick("03")
    with pytest.raises(ValueError, match=r"offer o: 200\.00 CNY are used, the limit cannot be 199\.99 CNY"):
        publish(offer("o", benefit=IN_CNY, quota="[{of: amount, at_most: 199.99, currency: CNY}]"))
    publish(offer("o", benefit=IN_CNY, quota="[{of: amount, at_most: 200.00, currency: CNY}]"))
    assert counters() == {"": 20000}


def test_a_lowered_band_of_a_month_admits_nothing_until_enough_has_come_back() -> None:
    merchant()
    publish(offer("o", quota=PER_MONTH))
    for n in range(2):
        freight(f"F{n}", paid_at="02")
    tick("03")
    publish(offer("o", quota="[{of: grants, at_most: 1, per: merchant, in: month}]"))
    for order, at in (("F2", "04"), ("F3", "10-01"), ("F4", "10-02")):
        freight(order, paid_at=at)
    tick("10-03")
    assert outcomes("o") == {
        "F0": "granted",
        "F1": "granted",
        "F2": "merchant_cap",
        "F3": "granted",
        "F4": "merchant_cap",
    }
    assert Decision.objects.get(subject="F2").exceeded_by == 2
    assert counters() == {"M1 2022-09": 2, "M1 2022-10": 1}


def test_plain_bands_are_the_limits_of_the_offer() -> None:
    merchant()
    publish(offer("o", quota="[{of: grants, at_most: 3}, {of: grants, at_most: 1, per: merchant}]"))
    row = published_offers.find("o").row
    assert (row.limit, row.limit_per_merchant, QuotaBand.objects.count()) == (3, 1, 0)


def test_a_band_counts_each_holder_of_the_row_and_no_row_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with_lines = replace(FREIGHT_ORDERS, holders={"line": "line"})
    monkeypatch.setitem(SUBJECTS, "freight_order", with_lines)
    for code in ("M1", "M2"):
        merchant(code)
    publish(offer("o"))
    freight("A", line="sea", paid_at="01")
    tick("02")
    publish(offer("o", quota="[{of: grants, at_most: 2, per: line}]"))
    assert counters() == {"sea": 1}
    for order, line in (("B", "sea"), ("C", "sea"), ("D", "air"), ("E", ""), ("F", ""), ("G", "")):
        freight(order, "M2", line=line, paid_at="03")
    tick("04")
    assert outcomes("o") == {**dict.fromkeys("ABDEFG", "granted"), "C": "holder_cap"}
    assert counters() == {"air": 1, "sea": 2}
    with pytest.raises(DefinitionError, match=r"a freight_order has no holder 'lines'.*did you mean 'line'"):
        publish(offer("o", quota="[{of: grants, at_most: 2, per: lines}]"))
