"""Generated orders are consistent and follow working hours, weekends and the campaign."""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from tests.support.fact_files import World

Row = dict[str, str]
FIRST_DAY, LAST_DAY = "2022-06-01", "2023-01-15"


def instants(row: Row, *columns: str) -> list[datetime]:
    return [datetime.fromisoformat(row[column]) for column in columns if row[column]]


def assert_in_order(row: Row, *columns: str) -> None:
    for earlier, later in pairwise(instants(row, *columns)):
        assert earlier <= later, row


def assert_no_gaps(row: Row, *columns: str) -> None:
    """Assert that no step is recorded without the one before it."""
    reached = [bool(row[column]) for column in columns]
    assert reached == sorted(reached, reverse=True), row


def test_freight_moves_forward(world: World) -> None:
    for row in world["freight_orders"]:
        assert_in_order(row, "placed_at", "paid_at", "shipped_at", "departed_at")
        assert_no_gaps(row, "placed_at", "paid_at", "shipped_at", "departed_at")
        assert_in_order(row, "placed_at", "cancelled_at")
        assert not (row["departed_at"] and row["cancelled_at"])


def test_freight_is_cancelled_before_and_after_payment(world: World) -> None:
    orders = world["freight_orders"]
    cancelled = [row for row in orders if row["cancelled_at"]]
    before = [row for row in cancelled if not row["paid_at"] or row["cancelled_at"] < row["paid_at"]]
    assert 0.02 < len(cancelled) / len(orders) < 0.1
    assert 0.2 < len(before) / len(cancelled) < 0.8


def test_trade_moves_forward(world: World) -> None:
    for row in world["trade_orders"]:
        assert_in_order(row, "drafted_at", "buyer_confirmed_at", "shipped_at", "completed_at")
        assert_no_gaps(row, "drafted_at", "buyer_confirmed_at", "shipped_at", "completed_at")
        assert_in_order(row, "buyer_confirmed_at", "cancelled_at")
        assert not (row["shipped_at"] and row["cancelled_at"])
        assert not (row["completed_at"] and row["abnormal_at"])
        assert bool(row["easy_return_premium_usd"]) == (row["easy_return"] == "1")


def test_customs_and_port_data_belong_to_agency_exports(world: World) -> None:
    for row in world["trade_orders"]:
        if row["export_mode"] == "onetouch_agency":
            assert_in_order(row, "shipped_at", "customs_cleared_at", "port_data_at")
            assert_no_gaps(row, "shipped_at", "customs_cleared_at", "port_data_at")
        else:
            assert not row["customs_cleared_at"] + row["port_data_at"]


def test_receipts_follow_the_order(world: World) -> None:
    orders = {row["order_no"]: row for row in world["trade_orders"]}
    received: dict[str, list[Row]] = defaultdict(list)
    for row in world["receipts"]:
        assert_in_order(row, "booked_at", "cancelled_at")
        received[row["order_no"]].append(row)
    for number, receipts in received.items():
        assert [row["kind"] for row in receipts] in (["first"], ["first", "balance"])
        booked = instants(orders[number], "buyer_confirmed_at") + [instants(row, "booked_at")[0] for row in receipts]
        assert booked == sorted(booked)
        assert sum(Decimal(row["amount_usd"]) for row in receipts) <= Decimal(orders[number]["amount_usd"])
    assert any(row["cancelled_at"] for row in world["receipts"])


def test_orders_use_coupons_from_the_day_of_issue(world: World) -> None:
    asking = [row for row in world["freight_orders"] if row["use_coupon"] == "1"]
    assert asking
    assert all(row["service"] == "express" and row["placed_at"] >= "2022-10-15T15:00:00+08:00" for row in asking)


def test_facts_lie_in_the_recorded_period(world: World) -> None:
    starts = [row.get("drafted_at") or row["placed_at"] for row in world["trade_orders"] + world["freight_orders"]]
    assert min(starts)[:10] == FIRST_DAY
    happenings = world["trade_orders"] + world["freight_orders"] + world["receipts"]
    every = [value for row in happenings for name, value in row.items() if name.endswith("_at") and value]
    assert max(every)[:10] == LAST_DAY


def test_orders_follow_office_hours_weekends_and_the_campaign(world: World) -> None:
    placed = [datetime.fromisoformat(row["placed_at"]) for row in world["freight_orders"]]
    hours, weekdays = Counter(moment.hour for moment in placed), Counter(moment.weekday() for moment in placed)
    months = Counter(moment.month for moment in placed)
    assert hours[10] > 20 * hours[3]
    assert weekdays[1] > 2 * weekdays[6]
    assert months[9] > 1.5 * months[8]


def test_names_are_chinese_and_english(world: World) -> None:
    for row in world["merchants"]:
        assert all("\u4e00" <= character <= "\u9fff" for character in row["name"])
        assert row["name_en"].isascii()
    assert len({row["name"] for row in world["merchants"]}) == len(world["merchants"])


def test_many_merchants_are_close_to_five_shipments_at_the_start(world: World) -> None:
    shipped = Counter(
        row["merchant_code"]
        for row in world["freight_orders"]
        if row["service"] == "express" and "2022-09-02" <= row["shipped_at"] < "2022-09-21"
    )
    close = Counter(shipped.values())
    assert close[3] >= 5
    assert close[4] >= 5
