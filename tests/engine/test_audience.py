"""Warnings about the audience of offers, which need recorded merchants."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from campaigns.eligibility import audience
from definitions import parser
from tests.support.scenarios import coupon_offer
from tests.support.world import HEADING, merchant, offer, t

pytestmark = pytest.mark.django_db


def warnings(text: str, at: str = "05") -> list[str]:
    return list(audience.warnings(parser.read(f"{HEADING}offers:\n{text}").offers, at=t(at)))


@pytest.mark.parametrize(("limit", "warned"), [(4, False), (5, True)])
def test_a_quota_larger_than_its_audience_can_take_is_warned_of(limit: int, warned: bool) -> None:
    for code in ("M1", "M2"):
        merchant(code)
    merchant("ABROAD", country="US")
    found = warnings(offer("o", quota=f"{{limit: {limit}, per_merchant: 2}}"))
    assert found == (["o: quota: 5 places, and the 2 merchants there are can take 4"] if warned else [])


def test_an_offer_about_merchants_gives_each_one_place() -> None:
    merchant()
    assert warnings(coupon_offer(quota="{limit: 1}")) == []
    assert warnings(coupon_offer(quota="{limit: 2}")) == [
        "c: quota: 2 places, and the 1 merchants there are can take 1"
    ]


def test_a_quota_without_a_limit_per_merchant_has_no_warning() -> None:
    merchant()
    assert warnings(offer("o", quota="{limit: 1000}")) == []


def test_an_offer_without_eligible_merchants_is_warned_of() -> None:
    merchant("ABROAD", country="US")
    assert warnings(offer("o")) == ["o: conditions: no merchant meets them: an audience of nobody"]


def test_no_warning_before_the_first_merchant_is_recorded() -> None:
    assert warnings(offer("o", quota="{limit: 5, per_merchant: 1}")) == []


def test_memberships_count_as_of_the_time_the_offer_is_open() -> None:
    merchant()  # a member from 2020 on
    window = "{from: 2022-09-02 00:00:00, to: 2022-09-20 23:59:59}"
    member = "{in_force: membership, of: [global_pass]}"
    text = offer("o", conditions=f"[{{fact: paid_at, within: {window}}}, {member}]")
    assert warnings(text, "2019-01-01") == []


def test_load_campaign_prints_warnings_and_publishes(tmp_path: Path) -> None:
    merchant("ABROAD", country="US")
    path = tmp_path / "trial.yaml"
    path.write_text(f"{HEADING}offers:\n{offer('o')}", encoding="utf-8")
    out, err = StringIO(), StringIO()
    call_command("load_campaign", str(path), stdout=out, stderr=err)
    assert "warning: o: conditions: no merchant meets them: an audience of nobody" in err.getvalue()
    assert "1 of 1 offers published" in out.getvalue()
