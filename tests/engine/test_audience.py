"""Warnings about the audience of offers, which need recorded merchants."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.translation import override

from campaigns.eligibility import audience
from definitions import parser
from merchants.models import ReferenceValue
from tests.support.scenarios import coupon_offer
from tests.support.world import HEADING, merchant, offer, tell

pytestmark = pytest.mark.django_db


NOBODY = "o: conditions: no merchant recorded so far meets: country is China"


def warnings(text: str) -> list[str]:
    return list(audience.warnings(parser.read(f"{HEADING}offers:\n{text}").offers))


@pytest.mark.parametrize(("limit", "warned"), [(4, False), (5, True)])
def test_a_quota_larger_than_its_audience_can_take_is_warned_of(limit: int, warned: bool) -> None:
    for code in ("M1", "M2"):
        merchant(code)
    merchant("ABROAD", country="US")
    found = warnings(offer("o", quota=f"{{limit: {limit}, per_merchant: 2}}"))
    assert found == (["o: quota: 5, and the 2 merchants recorded so far can take 4"] if warned else [])


def test_an_offer_about_merchants_gives_each_one_place() -> None:
    merchant()
    assert warnings(coupon_offer(quota="{limit: 1}")) == []
    assert warnings(coupon_offer(quota="{limit: 2}")) == ["c: quota: 2, and the 1 merchant recorded so far can take 1"]


def test_a_quota_without_a_limit_per_merchant_has_no_warning() -> None:
    merchant()
    assert warnings(offer("o", quota="{limit: 1000}")) == []


def test_an_offer_without_eligible_merchants_is_warned_of() -> None:
    merchant("ABROAD", country="US")
    assert warnings(offer("o")) == [NOBODY]


def test_no_warning_before_the_first_merchant_is_recorded() -> None:
    assert warnings(offer("o", quota="{limit: 5, per_merchant: 1}")) == []


@pytest.mark.parametrize(
    "condition",
    [
        "{in_force: membership, of: [global_pass]}",
        "{in_force: penalty, of: [other]}",
        "{count: freight_orders, where: [{fact: service, is: express}], at_least: 5}",
        "{code: either, any: [{fact: merchant.country, is: US}, {in_force: membership, of: [global_pass]}]}",
    ],
)
def test_what_can_come_with_time_is_not_missed_today(condition: str) -> None:
    merchant(member=False)
    assert warnings(offer("o", conditions=f"[{condition}]", quota="{limit: 2, per_merchant: 2}")) == []


@pytest.mark.parametrize("place", ["conditions", "where", "nested"])
def test_a_reference_list_that_does_not_exist(place: str) -> None:
    merchant()
    condition = "{fact: line, in_reference: express_linse}"
    other = "{code: b, any: [{fact: line, not_in_reference: nothing_like_it}, {fact: line, is: a}]}"
    parts = {"conditions": f"[{condition}, {other}]"} if place == "conditions" else {"where": f"[{condition}]"}
    if place == "nested":
        parts = {"conditions": f"[{{count: freight_orders, where: [{condition}], at_least: 1}}]"}
    near = "o: conditions: there is no reference list 'express_linse'; did you mean 'express_lines'?"
    far = "o: conditions: there is no reference list 'nothing_like_it'"
    tell(ReferenceValue, list_code="express_lines", value="a")
    assert warnings(offer("o", **parts)) == ([near, far] if place == "conditions" else [near])
    tell(ReferenceValue, list_code="express_linse", value="a")
    tell(ReferenceValue, list_code="nothing_like_it", value="a")
    assert warnings(offer("o", **parts)) == []


def test_in_chinese() -> None:
    merchant("ABROAD", country="US")
    with override("zh-hans"):
        assert warnings(offer("o")) == ["o: conditions: 目前没有商家符合：国家为中国"]


def test_load_campaign_prints_warnings_and_publishes(tmp_path: Path) -> None:
    merchant("ABROAD", country="US")
    path = tmp_path / "trial.yaml"
    path.write_text(f"{HEADING}offers:\n{offer('o')}", encoding="utf-8")
    out, err = StringIO(), StringIO()
    call_command("load_campaign", str(path), stdout=out, stderr=err)
    assert f"warning: {NOBODY}" in err.getvalue()
    assert "1 of 1 offers published" in out.getvalue()
