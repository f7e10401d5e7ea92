"""Generated fact files follow the documented format: columns, values, keys and references.

Written out from the contract rather than taken from the code, so that the two check each other.
"""

import re
from datetime import datetime

import pytest

from tests.support.fact_files import World

KEY, TEXT, FLAG, COUNT = r"[A-Za-z0-9-]+", r".+", r"[01]", r"\d+"
AMOUNT, INSTANT = r"\d+\.\d\d", r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00"
ONE_TOUCH = "onetouch_agency|market_procurement|self_operated|convenient_shipping"


def maybe(pattern: str) -> str:
    return f"({pattern})?"


COLUMNS: dict[str, dict[str, str]] = {
    "merchants": {
        "merchant_code": KEY,
        "name": TEXT,
        "name_en": TEXT,
        "country": "[A-Z]{2}",
        "category_l1": TEXT,
        "category_l2": TEXT,
        "logistics_partner": FLAG,
    },
    "accounts": {"account_code": KEY, "merchant_code": KEY, "role": "main|sub"},
    "memberships": {
        "merchant_code": KEY,
        "plan": "export_pass|global_pass|verified_supplier",
        "starts_at": INSTANT,
        "ends_at": maybe(INSTANT),
    },
    "service_packages": {
        "merchant_code": KEY,
        "package": "onetouch_3n|easy_return",
        "starts_at": INSTANT,
        "ends_at": maybe(INSTANT),
    },
    "penalties": {
        "merchant_code": KEY,
        "kind": "embargo|prohibited_goods|improper_trade|other",
        "starts_at": INSTANT,
        "ends_at": maybe(INSTANT),
        "reason": TEXT,
    },
    "reference_lists": {"list_code": "easy_return_categories", "value": TEXT},
    "trade_orders": {
        "order_no": KEY,
        "merchant_code": KEY,
        "account_code": KEY,
        "product": "trade_assurance|e_collection",
        "export_mode": ONE_TOUCH,
        "payment_product": maybe("TALC|TAPLC|TAOLC"),
        "drafted_at": INSTANT,
        "buyer_confirmed_at": maybe(INSTANT),
        "amount_usd": AMOUNT,
        "is_rts": FLAG,
        "category_l1": TEXT,
        "destination": "[A-Z]{2}",
        "oa_mode": maybe("platform_insured|self_insured"),
        "easy_return": FLAG,
        "easy_return_premium_usd": maybe(AMOUNT),
        "service_fee_usd": AMOUNT,
        "shipped_at": maybe(INSTANT),
        "customs_cleared_at": maybe(INSTANT),
        "port_data_at": maybe(INSTANT),
        "completed_at": maybe(INSTANT),
        "cancelled_at": maybe(INSTANT),
        "abnormal_at": maybe(INSTANT),
        "buyer_code": maybe(KEY),
        "promised_ship_at": maybe(INSTANT),
        "disputed_at": maybe(INSTANT),
    },
    "receipts": {
        "receipt_no": KEY,
        "order_no": KEY,
        "kind": "first|balance",
        "amount_usd": AMOUNT,
        "booked_at": INSTANT,
        "cancelled_at": maybe(INSTANT),
    },
    "financing_draws": {
        "draw_no": KEY,
        "merchant_code": KEY,
        "product": "lc_post_document|other",
        "drawn_at": INSTANT,
        "fee": AMOUNT,
        "currency": "USD|EUR",
    },
    "freight_orders": {
        "order_no": KEY,
        "merchant_code": KEY,
        "account_code": KEY,
        "service": "express|multimodal|small_parcel|sea_fcl",
        "line": KEY,
        "base_freight": AMOUNT,
        "currency": "CNY|USD",
        "promo_flag": FLAG,
        "use_coupon": FLAG,
        "placed_at": INSTANT,
        "paid_at": maybe(INSTANT),
        "shipped_at": maybe(INSTANT),
        "departed_at": maybe(INSTANT),
        "cancelled_at": maybe(INSTANT),
    },
    "freight_templates": {"merchant_code": KEY, "line": KEY, "configured_at": INSTANT, "rts_products": COUNT},
}

KEYS = {
    "merchants": ("merchant_code",),
    "accounts": ("account_code",),
    "memberships": ("merchant_code", "plan", "starts_at"),
    "service_packages": ("merchant_code", "package", "starts_at"),
    "penalties": ("merchant_code", "kind", "starts_at"),
    "reference_lists": ("list_code", "value"),
    "trade_orders": ("order_no",),
    "receipts": ("receipt_no",),
    "financing_draws": ("draw_no",),
    "freight_orders": ("order_no",),
    "freight_templates": ("merchant_code", "line", "configured_at"),
}


def test_files(world: World) -> None:
    assert world.keys() == COLUMNS.keys()


@pytest.mark.parametrize("file", COLUMNS)
def test_columns_and_values(world: World, file: str) -> None:
    patterns = {name: re.compile(pattern) for name, pattern in COLUMNS[file].items()}
    assert world[file]
    for row in world[file]:
        assert list(row) == list(patterns)
        wrong = {name: value for name, value in row.items() if not patterns[name].fullmatch(value)}
        assert not wrong


@pytest.mark.parametrize("file", KEYS)
def test_keys_identify_rows(world: World, file: str) -> None:
    keys = [tuple(row[name] for name in KEYS[file]) for row in world[file]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("column", "home"), [("merchant_code", "merchants"), ("order_no", "trade_orders")])
def test_references_hold(world: World, column: str, home: str) -> None:
    known = {row[column] for row in world[home]}
    own = {"freight_orders"} if column == "order_no" else set()
    for file in {name for name in world if column in COLUMNS[name]} - own:
        assert {row[column] for row in world[file]} <= known


def test_accounts_belong_to_the_merchant_that_orders(world: World) -> None:
    owner = {row["account_code"]: row["merchant_code"] for row in world["accounts"]}
    for row in world["trade_orders"] + world["freight_orders"]:
        assert owner[row["account_code"]] == row["merchant_code"]
    mains = [row["merchant_code"] for row in world["accounts"] if row["role"] == "main"]
    assert sorted(mains) == sorted(row["merchant_code"] for row in world["merchants"])


@pytest.mark.parametrize("file", ["memberships", "service_packages", "penalties"])
def test_intervals_end_after_they_start(world: World, file: str) -> None:
    for row in world[file]:
        if row["ends_at"]:
            assert datetime.fromisoformat(row["starts_at"]) < datetime.fromisoformat(row["ends_at"])


def test_easy_return_covers_29_categories(world: World) -> None:
    assert len(world["reference_lists"]) == 29
