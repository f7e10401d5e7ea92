"""Reference lists that change after the claims that they concern: every place where a definition can name one."""

from typing import Any

import pytest

from merchants.models import ReferenceValue
from tests.support.scenarios import coupon_offer
from tests.support.world import (
    correct,
    freight,
    merchant,
    outcomes,
    publish,
    receipt,
    review,
    states,
    tell,
    tick,
    trade,
)
from tests.support.world import offer as text

pytestmark = pytest.mark.django_db

LISTED = "{fact: line, in_reference: lines}"
UNLISTED = "{fact: line, not_in_reference: lines}"
COUNT = "{count: freight_orders, where: [%s], at_least: 1}"
ANY = "{code: either, any: [{fact: line, is: nothing}, %s]}"
TRADE = {"subject": "trade_order", "benefit": "{fee: service_fee, percent: 50}", "settlement": ""}
WINDOW = "{from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}"
NTH = "{nth: {number: 1, of: freight_orders, at: shipped_at, where: [%s]}}"
OVER = "{over_threshold: {height: 100.00, window: %s, where: [{fact: category_l1, in_reference: lines}]}}"


def add_to_list(value: str = "slow") -> None:
    tell(ReferenceValue, list_code="lines", value=value)


@pytest.mark.parametrize(
    ("parts", "subject"),
    [
        ({"where": f"[{LISTED}]"}, "F1"),
        ({"where": "[{fact: merchant.category_l1, in_reference: lines}]"}, "F1"),
        ({**TRADE, "claim": "{at: buyer_confirmed_at}", "where": "[{fact: category_l1, in_reference: lines}]"}, "T1"),
        ({**TRADE, "claim": OVER % WINDOW}, "T1"),
    ],
)
def test_a_claim_that_a_list_brings_late_is_decided(parts: dict[str, str], subject: str) -> None:
    publish(text("o", **{"conditions": "everyone", **parts}))
    merchant(category_l1="slow")
    freight("F1", line="slow", paid_at="05")
    for key, amount in (("T0", 100), ("T1", 50)):
        trade(key, category_l1="slow", buyer_confirmed_at="05")
        receipt(f"R{key}", key, "05 10:00", amount)
    tick("06")
    assert outcomes("o") == {}
    add_to_list("fast")
    tick("06 01:00")
    assert outcomes("o") == {}
    add_to_list()
    tick("06 02:00")
    assert outcomes("o")[subject] == "granted"


def test_an_nth_row_that_a_list_brings_late_is_decided() -> None:
    publish(coupon_offer(claim=NTH % LISTED))
    merchant()
    freight("F1", line="slow", shipped_at="05")
    tick("06")
    assert outcomes("c") == {}
    add_to_list()
    tick("06 02:00")
    assert outcomes("c") == {"M1": "granted"}


@pytest.mark.parametrize(
    "parts",
    [
        {"conditions": f"[{UNLISTED}]"},
        {"conditions": f"[{ANY % UNLISTED}]"},
        {"conditions": f"[{COUNT % UNLISTED}]"},
        {"conditions": "[{fact: merchant.category_l1, not_in_reference: lines}]"},
        {"conditions": f"[{UNLISTED}]", "settlement": "{at: departed_at, locked_at: paid_at}"},
        {"conditions": f"[{UNLISTED}]", "settlement": ""},
    ],
)
def test_a_grant_whose_list_changed_is_marked(parts: dict[str, Any]) -> None:
    publish(text("o", **parts))
    merchant(category_l1="slow")
    freight("F1", line="slow", paid_at="05")
    tick("06")
    add_to_list("fast")
    tick("06 01:00")
    assert review("F1") == ""
    add_to_list()
    tick("06 02:00")
    assert review("F1") == "a condition no longer holds"
    assert outcomes("o") == {"F1": "granted"}


def test_a_subject_that_a_list_takes_out_of_scope_is_marked() -> None:
    publish(text("o", where=f"[{UNLISTED}]", conditions="everyone"))
    merchant()
    freight("F1", line="slow", paid_at="05")
    tick("06")
    add_to_list()
    tick("06 02:00")
    assert review("F1") == "the subject no longer claims"


def test_a_requirement_of_the_settlement_sees_the_list_of_that_time() -> None:
    """A grant that an earlier list let settle stays settled, and is marked."""
    requires = "{at: departed_at, locked_at: paid_at, requires: [{fact: line, not_in_reference: lines}]}"
    publish(text("o", conditions="everyone", settlement=requires))
    merchant()
    freight("F1", line="slow", paid_at="05", departed_at="06")
    freight("F2", line="slow", paid_at="05", departed_at="08")
    tick("07")
    add_to_list()
    tick("09")
    assert states("o") == {"F1": "settled", "F2": "forfeited"}
    assert review("F1") == "the facts now lead to another state"


def test_a_list_that_is_told_again_unchanged_changes_nothing() -> None:
    publish(text("o", conditions=f"[{UNLISTED}]"))
    merchant()
    freight("F1", line="slow", paid_at="05")
    add_to_list("fast")
    tick("06")
    correct(ReferenceValue, ReferenceValue.objects.get().pk, value="fast")
    tick("07")
    assert review("F1") == ""
