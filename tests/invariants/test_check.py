"""Checking invariants: one snapshot, the command for operators, and two faults that invariants found."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.engine import ticker
from campaigns.models import Attachment, Grant, Offer
from campaigns.monitoring import invariants
from campaigns.monitoring.invariants import INVARIANTS, Invariant
from campaigns.offers import publishing
from definitions import parser
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support import season

FIRST = datetime(2022, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def check_invariants(*arguments: str) -> str:
    out = StringIO()
    call_command("check_invariants", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_lists_every_invariant_that_holds() -> None:
    assert [line[:3] for line in check_invariants().splitlines()] == [invariant.name for invariant in INVARIANTS]
    assert check_invariants("--quiet") == ""


@pytest.mark.django_db
@pytest.mark.plants_violation
def test_the_command_lists_violations_and_exits_with_an_error() -> None:
    season.publish()
    Offer.objects.filter(code="charter-5-off").update(places_taken=3)
    out = StringIO()
    with pytest.raises(CommandError, match=r"I01$"):
        call_command("check_invariants", "--quiet", stdout=out)
    rule, row = out.getvalue().splitlines()
    assert rule.startswith("I01: An offer's counters")
    assert row.split() == "offer charter-5-off, counter places taken, stored 3, found 0".split()


@pytest.mark.django_db
def test_only_the_first_violating_rows_are_listed_and_all_are_counted() -> None:
    rows = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(30))
    (violation,) = invariants.check([Invariant("I99", "thirty", rows)])
    assert (violation.count, len(violation.rows), violation.columns) == (30, invariants.SHOWN, ("n",))
    assert str(violation).splitlines()[-1] == "  … 10 more"


@pytest.mark.postgresql  # SQLite has snapshots in every transaction
@pytest.mark.django_db(transaction=True)
def test_all_invariants_are_checked_in_one_snapshot() -> None:
    settings = "SELECT current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only')"
    (violation,) = invariants.check([Invariant("I99", "as set", settings)])
    assert violation.rows == (("repeatable read", "on"),)
    assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_the_transaction_ends_when_a_statement_fails() -> None:
    with pytest.raises(Exception, match="nowhere"):
        invariants.check([Invariant("I99", "wrong", "SELECT 1 FROM nowhere")])
    assert invariants.check() == []


BOTH = """
campaign: both
names: {en: Both, zh: 两者}
zone: UTC
offers:
  - code: coupon
    names: {en: Coupon, zh: 券}
    subject: merchant
    where: all
    claim: {nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: service, is: multimodal}]}}
    conditions: [{fact: merchant.country, is: CN}]
    benefit:
      coupons:
        count: 1
        value: 25.00
        currency: CNY
        valid: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}
        where: [{fact: service, is: express}]
  - code: discount
    names: {en: Discount, zh: 折扣}
    subject: freight_order
    where: [{fact: service, is: express}]
    claim: {at: paid_at}
    conditions: [{fact: merchant.country, is: CN}]
    benefit: {fee: freight, percent: 10}
    settlement: {released_by: cancelled_at, released_after_settlement: yes}
"""


@pytest.mark.django_db
def test_a_correction_adds_no_coupon_to_an_order_with_a_discount() -> None:
    publishing.publish(parser.read(BOTH), source=BOTH, at=FIRST, by="test")
    batch = ImportBatch.objects.create(source="test", rows=9, added=9)
    merchant = Merchant.objects.create(code="M1", country="CN", batch=batch)
    usual = {"merchant": merchant, "line": "x", "base_freight": Decimal(1000), "currency": "CNY", "batch": batch}
    FreightOrder.objects.create(order_no="F1", service="multimodal", shipped_at=FIRST, **usual)
    FreightOrder.objects.create(order_no="F2", service="express", placed_at=FIRST + DAY, paid_at=FIRST + DAY, **usual)
    FreightOrder.objects.create(order_no="F3", service="express", placed_at=FIRST + 2 * DAY, **usual)
    ticker.tick(at=FIRST + 2 * DAY)
    assert Grant.objects.get(subject="F2").status == "settled"
    FreightOrder.objects.update(
        use_coupon=True, batch=ImportBatch.objects.create(source="corrected", rows=3, changed=3)
    )
    ticker.tick(at=FIRST + 3 * DAY)
    # The coupon was there to be had: the next order has it.
    asked = Attachment.objects.order_by("order_no").values_list("order_no", "coupon__status")
    assert list(asked) == [("F2", None), ("F3", "locked")]
    grant = Grant.objects.get(subject="F2")
    assert (grant.status, grant.review) == ("settled", "")
    assert not invariants.check()
