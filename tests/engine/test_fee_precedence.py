"""A claim on the freight of an order, and a coupon that the order asks for: the one with the earlier instant has it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.coupons import attachment
from campaigns.coupons.fee_precedence import fewest
from campaigns.engine import instant_claims, quarantine, ticker
from campaigns.models import Attachment, Coupon, Offer, TickRun
from campaigns.monitoring import invariants
from campaigns.offers import pausing
from campaigns.offers.published_offers import PublishedOffer
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.guards import unguarded
from tests.support.scenarios import coupon_offer, wipe
from tests.support.world import (
    correct,
    everything,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    t,
    tick,
)

OURS = {"by": "ana", "reason": "a wrong list"}
START = t("01")


def world(*offers: str) -> None:
    """Record a merchant with one coupon, valid from the 2nd on, and publish offers on freight."""
    merchant()
    publish(coupon_offer() + "".join(offers or [offer("o")]))
    freight("A", shipped_at="01")


def order(number: str = "F", **fields: Any) -> FreightOrder:
    return freight(number, **{"placed_at": "05 09:00", "paid_at": "05 08:30", "use_coupon": True, **fields})


def result() -> tuple[dict[str | None, str], list[str]]:
    """Return the status of coupons by order, and the orders with a grant."""
    on_orders = dict(Coupon.objects.exclude(order_no=None).values_list("order_no", "status"))
    return on_orders, sorted(subject for code, subject in grants() if code != "c")


def alike(*histories: tuple[str, ...]) -> None:
    """Check that each list of ticks leaves the same."""
    first: object = None
    for ticks in histories:
        for at in ticks:
            tick(at)
        assert not invariants.check()
        first = first or everything()
        assert everything() == first, ticks
        if ticks is not histories[-1]:
            with unguarded():
                wipe()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("paid_at", "expected"),
    [
        ("05 08:30", ({}, ["F"])),
        ("05 08:59:59.999999", ({}, ["F"])),
        ("05 09:00", ({"F": "redeemed"}, [])),
        ("05 09:30", ({"F": "redeemed"}, [])),
    ],
)
def test_the_earlier_instant_has_the_fee_and_the_coupon_at_the_same(paid_at: str, expected: object) -> None:
    world()
    order(paid_at=paid_at)
    alike(("06",), ("05 08:45", "06"), ("05 09:00", "06"), ("05 08:30", "05 08:59", "05 09:15", "06"))
    assert result() == expected


@pytest.mark.django_db
@pytest.mark.parametrize(("ends_at", "on_orders"), [("05 09:00", {"F": "locked"}), ("05 09:00:00.000001", {})])
def test_a_grant_that_ended_by_the_placement_leaves_the_fee_to_the_coupon(
    ends_at: str, on_orders: dict[str, str]
) -> None:
    world(offer("o", settlement="{released_by: departed_at, released_after_settlement: yes}", claim="{at: shipped_at}"))
    order(shipped_at="05 08:00", departed_at=ends_at, paid_at=None)
    alike(("06",), ("05 08:30", "06"), ("05 08:30", "05 09:00", "06"))
    assert (result()[0], grants()["o", "F"]) == (on_orders, "released 100.00 CNY")


@pytest.mark.django_db
def test_the_coupon_is_for_the_order_whose_claim_is_refused_and_not_for_a_later_one() -> None:
    world(offer("o", quota="{limit: 1}"))
    order("E", placed_at=None, use_coupon=False, paid_at="05 08:00")
    order("F")
    order("G", placed_at="05 10:00", paid_at="05 11:00")
    alike(("06",), ("05 08:45", "06"), ("05 09:30", "06"), ("05 08:00", "05 09:00", "05 10:00", "06"))
    assert result() == ({"F": "locked"}, ["E"])
    assert outcomes("o") == {"E": "granted", "F": "quota_exhausted", "G": "quota_exhausted"}


@pytest.mark.django_db
def test_an_order_waits_until_the_earlier_claim_may_be_decided() -> None:
    world(offer("o", settling_hours="48", quota="{limit: 1}"))
    order("E", placed_at=None, use_coupon=False, paid_at="05 08:00")
    order("F")
    order("G", placed_at="06", paid_at=None)
    tick("07 08:29:59.999999")
    assert Attachment.objects.get(waits=True).order_no == "F"
    assert result() == ({"G": "locked"}, ["E"]), "G was placed before the claim of F was decided"
    correct(FreightOrder, "G", cancelled_at="07 08:29:59.999999")
    tick("07 08:30")
    assert not Attachment.objects.filter(waits=True).exists()
    assert result() == ({"F": "locked"}, ["E"])
    with unguarded():
        wipe()
    alike(("10",), ("06 12:00", "07 09:00", "10"), ("07 08:29:59.999999", "07 08:30", "10"))
    assert result() == ({"F": "locked"}, ["E"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("decided_at", "expected"),
    [
        ("2022-09-05 08:59:59", ({}, ["F"])),
        ("2022-09-05 09:00:00", ({"F": "locked"}, [])),
        ("2022-09-05 12:00:00", ({"F": "locked"}, [])),
    ],
)
def test_an_offer_that_decides_all_claims_at_an_instant_comes_at_that_instant(
    decided_at: str, expected: object
) -> None:
    world(offer("o", decided_at=decided_at))
    order()
    alike(("06",), ("05 08:45", "06"), ("05 08:59:59", "05 09:00", "05 12:00", "06"))
    assert result() == expected


@pytest.mark.django_db
def test_a_coupon_does_not_wait_for_a_paused_offer() -> None:
    world()
    order()
    pausing.pause(Offer.objects.get(code="o"), at=t("02"), **OURS)
    tick("05 10:00")
    assert result() == ({"F": "locked"}, [])
    pausing.resume(Offer.objects.get(code="o"), at=t("06"), **OURS)
    tick("07")
    assert (result(), outcomes("o")) == (({"F": "locked"}, []), {"F": "superseded"})
    assert not invariants.check()


@pytest.mark.django_db
@pytest.mark.parametrize(("limit", "expected"), [(2, ({}, ["E", "F"])), (1, ({"F": "locked"}, ["E"]))])
def test_a_claim_that_is_decided_at_once_keeps_the_order(limit: int, expected: object) -> None:
    world(offer("o", quota=f"{{limit: {limit}}}"))
    order("E", placed_at=None, use_coupon=False, paid_at="05 08:00")
    tick("05 08:15")
    order()
    instant_claims.claim("F", of="freight_order", at=t("05 09:01"))
    assert result() == expected
    tick("06")
    assert result() == expected
    assert not invariants.check()


@pytest.mark.django_db
def test_a_coupon_cannot_be_attached_while_an_earlier_claim_is_not_decided() -> None:
    world(offer("o", claim="{at: shipped_at}", settling_hours="48"))
    order(shipped_at="05 08:00", paid_at=None, use_coupon=False)
    tick("05 10:00")
    before = everything()
    with pytest.raises(attachment.NotAttachableError, match="not decided yet"):
        attachment.attach("F", kind="freight_order", merchant=Merchant.objects.get(), at=t("05 11:00"), by="ana")
    assert everything() == before
    assert not FreightOrder.objects.get(pk="F").use_coupon
    tick("08")
    assert result() == ({}, ["A", "F"])


@pytest.mark.django_db
def test_claims_that_always_fail_are_quarantined_beside_coupons(monkeypatch: pytest.MonkeyPatch) -> None:
    world()
    order()

    process = ticker._process

    def fail(group: list[PublishedOffer], *rest: Any) -> bool:
        if group[0].terms.fee:
            raise RuntimeError
        return process(group, *rest)

    monkeypatch.setattr(ticker, "_process", fail)
    for minute in range(quarantine.TRIES):
        with pytest.raises(RuntimeError):
            tick(f"06 00:0{minute}")
    tick("06 00:05")
    assert TickRun.objects.latest().skipped_steps == "claims: freight"


INTERVAL = st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda part: (part[0], sum(part)))


@given(st.lists(INTERVAL, max_size=6), st.integers(0, 25))
def test_the_stops_are_the_fewest_instants_that_meet_each_interval(parts: list[tuple[int, int]], before: int) -> None:
    intervals = [(START + timedelta(hours=first), START + timedelta(hours=after)) for first, after in parts]
    end = START + timedelta(hours=before)
    found = fewest(intervals, before=end)
    met = [interval for interval in intervals if interval[0] < end]
    assert all(any(first <= at < after for at in found) for first, after in met)
    assert found == sorted(set(found))
    assert all(at < end for at in found)
    # No fewer: there are as many intervals of which no two meet.
    apart = [min(after for first, after in met if first <= at < after) for at in found]
    assert all(one <= other for one, other in pairwise(apart))


@pytest.mark.django_db
def test_a_coupon_of_a_claim_after_the_decision_instant_is_as_old_as_the_claim() -> None:
    other = {"subject": "freight_order", "where": "[{fact: line, is: other}]", "claim": "{at: shipped_at}"}
    world(coupon_offer("d", decided_at="2022-09-01 12:00:00", **other))
    freight("B", line="other", shipped_at="03")
    correct(FreightOrder, "A", shipped_at="02")
    order(placed_at="02 12:00", paid_at=None)
    alike(("05",), ("02 13:00", "05"), ("01 12:00", "02 12:00", "03", "05"))
    issued = {coupon.offer.code: (coupon.order_no, coupon.issued_at) for coupon in Coupon.objects.all()}
    assert issued == {"c": ("F", t("02")), "d": (None, t("03"))}
