"""Sentences of conditions, in both languages."""

from typing import Any

import pytest
from django.utils.translation import override
from pydantic import TypeAdapter

from merchants.facts import MERCHANTS
from rules.conditions import Condition
from rules.query_row import QueryRow
from rules.sentences import describe
from trade.facts import TRADE_ORDERS

CLEARED_AFTER = [
    {"fact": "export_mode", "is_not": "onetouch_agency"},
    {"fact": "customs_cleared_at", "not_before": "claim"},
]


@pytest.mark.parametrize(
    ("condition", "english", "chinese"),
    [
        (
            {"code": "customs", "any": CLEARED_AFTER},
            "either export mode is not One-Touch agency export, "
            "or cleared by customs on or after the time of the claim",
            "满足其一：出口方式不是一达通代理出口；清关不早于申请时间",
        ),
        (
            {"fact": "shipped_at", "within": {"first_days": "90", "after": "drafted_at"}},
            "shipped in the first 90 days from drafted",
            "在起草起的前90天内发货",
        ),
        (
            {"fact": "shipped_at", "within": {"calendar": "month", "zone": "Asia/Shanghai"}},
            "shipped in the same calendar month (Beijing time) as the claim",
            "与申请在同一自然月内（北京时间）发货",
        ),
        (
            {"fact": "shipped_at", "within": {"weekdays": ["sat"], "from": "09:00", "zone": "Asia/Shanghai"}},
            "shipped on Saturday between 09:00 and 24:00 (Beijing time)",
            "在周六的09:00至24:00之间（北京时间）发货",
        ),
        ({"fact": "is_rts", "is": "yes"}, "ready-to-ship order", "现货（RTS）订单"),
        ({"fact": "easy_return", "is": "no"}, "without Easy Return", "未使用无忧退"),
    ],
    ids=str,
)
def test_conditions_of_a_trade_order(condition: dict[str, Any], english: str, chinese: str) -> None:
    assert both(condition, QueryRow(TRADE_ORDERS, claims=True)) == (english, chinese)


def test_a_flag_of_the_merchant() -> None:
    asked = {"fact": "merchant.logistics_partner", "is": "no"}
    assert both(asked, QueryRow(TRADE_ORDERS)) == ("not a logistics partner", "非物流拍档")
    assert both(asked, QueryRow(MERCHANTS)) == ("not a logistics partner", "非物流拍档")


def both(condition: dict[str, Any], row: QueryRow) -> tuple[str, str]:
    read = TypeAdapter[Condition](Condition).validate_python(condition)
    with override("en"):
        english = describe(read, row)
    with override("zh-hans"):
        return english, describe(read, row)
