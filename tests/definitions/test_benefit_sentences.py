"""Sentences of benefits, in both languages."""

from typing import Any

import pytest
from django.utils.translation import override

from core.facts import FEES, SUBJECTS
from definitions.benefit_sentences import describe_benefit
from definitions.benefits import Discount

SLICES = [{"from": "0", "percent": 10}, {"from": "50000", "percent": "2.5"}, {"from": "1000000", "percent": 0}]


@pytest.mark.parametrize(
    ("discount", "english", "chinese"),
    [
        (
            {"fee": "freight", "currency": "CNY", "percent": 15, "at_most": "25.00"},
            "15% off the freight, at most 25.00 CNY",
            "运费减免15%，最多减免25.00 CNY",
        ),
        ({"fee": "service_fee", "price": "9.90"}, "service fee reduced to 9.90 USD", "交易服务费减至9.90 USD"),
        (
            {"fee": "service_fee", "slices": SLICES},
            "off the service fee: 10% of the part from 0.00 USD to 50,000.00 USD; "
            "2.5% of the part from 50,000.00 USD to 1,000,000.00 USD",
            "交易服务费：0.00 USD至50,000.00 USD的部分减免10%；50,000.00 USD至1,000,000.00 USD的部分减免2.5%",
        ),
        (
            {"fee": "service_fee", "slices": SLICES[:1], "at_most": "5.00"},
            "off the service fee: 10% of the part above 0.00 USD, at most 5.00 USD",
            "交易服务费：超过0.00 USD的部分减免10%，最多减免5.00 USD",
        ),
        (
            {"fee": "service_fee", "percent": {"fact": "easy_return_premium_usd"}},
            "the percentage in “Easy Return premium in USD” off the service fee",
            "交易服务费减免“无忧退保费（美元）”所示百分比",
        ),
        (
            {"fee": "service_fee", "amount": {"fact": "amount_usd"}},
            "the amount in “amount in USD” off the service fee",
            "交易服务费减免“金额（美元）”所示金额",
        ),
    ],
    ids=str,
)
def test_sentences(discount: dict[str, Any], english: str, chinese: str) -> None:
    benefit = Discount.model_validate(discount)
    with override("en"):
        assert describe_benefit(benefit, SUBJECTS[FEES[benefit.fee].subject]) == english
    with override("zh-hans"):
        assert describe_benefit(benefit, SUBJECTS[FEES[benefit.fee].subject]) == chinese
