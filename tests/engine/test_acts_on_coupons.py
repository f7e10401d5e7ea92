"""A merchant attaches or detaches a coupon, and the platform imports the order: the later act wins."""

from pathlib import Path

import pytest

from campaigns.coupons import attachment
from campaigns.models import Coupon
from campaigns.monitoring import invariants
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.importing import import_text
from tests.support.scenarios import coupon_offer
from tests.support.world import coupons, freight, grants, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

HEADER = "order_no,merchant_code,service,line,base_freight,currency,use_coupon,placed_at,paid_at\n"


@pytest.fixture(autouse=True)
def world() -> None:
    merchant()
    publish(coupon_offer() + offer("o"))
    freight("A", shipped_at="01")
    tick("02 12:00")


def bring(folder: Path, use_coupon: str, *, paid: str = "", freight_of: str = "1000.00") -> tuple[int, int, int]:
    row = f"B,M1,express,us-charter-select,{freight_of},CNY,{use_coupon},2022-09-03T10:00:00Z,{paid}\n"
    imported = import_text("freight_orders", HEADER + row, folder)
    assert not imported.errors
    return imported.counts


def act(name: str, at: str) -> None:
    getattr(attachment, name)("B", kind="freight_order", merchant=Merchant.objects.get(), at=t(at), by="ana")


def on_orders() -> dict[str | None, str]:
    return dict(Coupon.objects.exclude(order_no=None).values_list("order_no", "status"))


def test_an_import_that_repeats_the_column_keeps_an_attached_coupon(tmp_path: Path) -> None:
    bring(tmp_path, "0")
    act("attach", "04")
    assert bring(tmp_path, "0") == (0, 0, 1)
    bring(tmp_path, "0", paid="2022-09-05T00:00:00Z")
    tick("06")
    assert on_orders() == {"B": "redeemed"}
    assert grants().keys() == {("c", "M1")}
    assert not invariants.check()


def test_an_import_without_the_column_keeps_an_attached_coupon(tmp_path: Path) -> None:
    bring(tmp_path, "0")
    act("attach", "04")
    row = "B,M1,express,us-charter-select,1000.00,CNY,2022-09-03T10:00:00Z,2022-09-05T00:00:00Z\n"
    assert not import_text("freight_orders", HEADER.replace("use_coupon,", "") + row, tmp_path).errors
    tick("06")
    assert on_orders() == {"B": "redeemed"}
    assert bring(tmp_path, "0", paid="2022-09-05T00:00:00Z") == (0, 0, 1)


def test_an_import_that_repeats_the_column_does_not_attach_again(tmp_path: Path) -> None:
    bring(tmp_path, "1")
    tick("03 12:00")
    act("detach", "04")
    bring(tmp_path, "1", paid="2022-09-05T00:00:00Z")
    tick("06")
    assert coupons() == {"issued": 1}
    assert grants()["o", "B"] == "settled 100.00 CNY"
    assert not FreightOrder.objects.get(pk="B").use_coupon


def test_an_import_that_changes_the_column_is_the_later_act(tmp_path: Path) -> None:
    bring(tmp_path, "1")
    tick("03 12:00")
    act("detach", "04")
    bring(tmp_path, "0")
    bring(tmp_path, "1")
    tick("05")
    assert on_orders() == {"B": "locked"}
    bring(tmp_path, "0", paid="2022-09-06T00:00:00Z")
    tick("07")
    assert coupons() == {"issued": 1}
    assert grants()["o", "B"] == "settled 100.00 CNY"
    assert not invariants.check()


def test_a_merchant_attaches_again_after_an_import_took_the_coupon_off(tmp_path: Path) -> None:
    bring(tmp_path, "1")
    tick("03 12:00")
    bring(tmp_path, "0")
    tick("04")
    assert coupons() == {"issued": 1}
    act("attach", "05")
    bring(tmp_path, "0", freight_of="1100.00")
    tick("30")
    assert coupons() == {"expired": 1}
    assert not invariants.check()


def test_a_preview_counts_the_row_as_unchanged(tmp_path: Path) -> None:
    bring(tmp_path, "0")
    act("attach", "04")
    row = "B,M1,express,us-charter-select,1000.00,CNY,0,2022-09-03T10:00:00Z,\n"
    result = import_text("freight_orders", HEADER + row, tmp_path, dry_run=True).result
    assert [effect for effect, *_values in result.sample] == ["skip"]
