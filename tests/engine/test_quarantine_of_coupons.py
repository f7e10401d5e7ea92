"""One bad merchant or grant stops no coupons of others, and only its own orders wait for its coupons."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection

from campaigns.engine import quarantine_entries, ticker
from campaigns.models import Coupon, Decision, Grant, Offer, OutboxEvent, QuarantineEntry, TickRun, Version
from campaigns.offers import published_offers
from logistics.models import FreightOrder
from tests.support.faults import refused
from tests.support.guards import unguarded
from tests.support.members import member
from tests.support.scenarios import coupon_offer, small_world, wipe
from tests.support.world import everything, freight, grants, merchant, offer, outcomes, publish, t, tick

pytestmark = pytest.mark.django_db


def held() -> dict[tuple[str, str], str]:
    """Return the stage of each entry, by its step and key."""
    return {(entry.step, entry.key): str(entry.stage) for entry in QuarantineEntry.objects.all()}


def world() -> None:
    """Record two merchants with coupons from the 2nd; each places four orders, the last two of them with a coupon."""
    for code in ("M1", "M2"):
        merchant(code)
    publish(offer("o", claim="{at: paid_at}") + coupon_offer())
    for n in range(1, 9):
        freight(
            f"F{n}",
            f"M{n % 2 + 1}",
            placed_at=f"0{n} 10:00",
            paid_at=f"0{n} 11:00",
            shipped_at=f"0{n} 12:00",
            use_coupon=n > 4,
        )


WITH_COUPON = {"F5", "F7"}
"""Orders of M2 that ask for a coupon."""
FAULTS = {
    "claim": (Grant, "NEW.subject = 'M2'", "INSERT", {("claims: c", "M2"): "write"}),
    "issue": (Coupon, "NEW.merchant_id = 'M2'", "INSERT", {("coupons: c", "M2"): "issue"}),
    "use": (Coupon, "NEW.merchant_id = 'M2' AND NEW.status <> 'issued'", "UPDATE", {("coupons used", "M2"): "use"}),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_only_orders_of_the_bad_merchant_that_ask_for_a_coupon_wait(kind: str) -> None:
    world()
    tick("09")
    expected = {name: rows for name, rows in everything().items() if name != "queue"}
    wipe()
    model, when, on, entries = FAULTS[kind]
    with refused(model, when, on=on):
        tick("09")
        assert held() == entries
        assert QuarantineEntry.objects.get().attempts == 1
        assert set(outcomes("o")) == {f"F{n}" for n in range(1, 9)} - WITH_COUPON
        assert set(Coupon.objects.exclude(order_no=None).values_list("order_no", flat=True)) == {"F6"}
        assert TickRun.objects.latest().skipped_steps == ""
    quarantine_entries.try_again(QuarantineEntry.objects.all())
    tick("09")
    assert held() == {}
    assert {name: rows for name, rows in everything().items() if name != "queue"} == expected


def test_coupons_in_quarantine_make_the_sweep_do_nothing() -> None:
    world()
    with refused(Coupon, "NEW.merchant_id = 'M2'"):
        tick("09")
        ticker.sweep(at=t("09 00:01"))
        assert TickRun.objects.count() == 1
    ticker.sweep(at=t("09 00:05"))
    assert TickRun.objects.count() == 2
    assert Coupon.objects.filter(merchant="M2").count() == 1


def test_a_notice_that_fails_stops_no_other_and_no_use_of_coupons() -> None:
    world()
    FreightOrder.objects.update(use_coupon=False)
    for code in ("M1", "M2"):
        member(f"{code}@example.com", code)
    tick("09")
    with refused(OutboxEvent, f"NEW.kind = '{OutboxEvent.Kind.COUPON_EXPIRING}' AND NEW.merchant_id = 'M2'"):
        tick("26")
        assert held() == {("expiry notices: c", "M2"): "notice"}
        assert notified() == ["M1"]
    tick("26 00:05")
    assert notified() == ["M1", "M2"]
    assert held() == {}


def notified() -> list[str]:
    events = OutboxEvent.objects.filter(kind=OutboxEvent.Kind.COUPON_EXPIRING)
    return sorted(events.values_list("merchant_id", flat=True))


@pytest.fixture
def forget_terms() -> Iterator[None]:
    yield
    published_offers._terms.cache_clear()


def damage(code: str, definition: object) -> object:
    """Replace the stored terms of an offer, which no process has read yet. Returns those before."""
    version = Version.objects.get(offer__code=code)
    before = version.definition
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_version SET definition = %s WHERE id = %s", [json.dumps(definition), version.pk]
        )
    published_offers._terms.cache_clear()
    return before


@pytest.mark.usefixtures("forget_terms")
def test_an_offer_that_cannot_be_read_stops_no_other() -> None:
    small_world()
    tick("09")
    expected = everything()
    wipe()
    terms = damage("half", {"code": "half"})
    tick("09")
    assert held() == {("offer: half", "half"): "read"}
    assert {code for code, _ in grants()} == {"o", "c"}
    damage("half", terms)
    tick("09 00:01")
    assert held() == {}
    assert everything() == expected


@pytest.mark.usefixtures("forget_terms")
def test_orders_that_ask_for_a_coupon_wait_for_a_coupon_offer_that_cannot_be_read() -> None:
    world()
    tick("09")
    expected = {name: rows for name, rows in everything().items() if name != "queue"}
    wipe()
    terms = damage("c", {})
    tick("09")
    assert set(outcomes("o")) == {"F1", "F2", "F3", "F4"}
    assert Decision.objects.exclude(offer__code="o").count() == 0
    damage("c", terms)
    tick("09")
    assert {name: rows for name, rows in everything().items() if name != "queue"} == expected
    tick("09 00:01")
    assert not Offer.objects.filter(has_quarantined=True).exists()
