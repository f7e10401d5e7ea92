"""Keys in addresses and bodies: any key that a file can hold works everywhere, in any of its spellings."""

from urllib.parse import quote

import pytest
from django.core.management import call_command

from campaigns.models import Coupon
from core.keys import normalize_key
from logistics.models import FreightOrder
from tests.support.members import client, member
from tests.support.operators import Staff, staff  # noqa: F401  # fixture
from tests.support.programs import FACT, Program
from tests.support.scenarios import coupon_offer
from tests.support.world import freight, merchant, offer, publish, states, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="keys in addresses, not SQL")]

KEYS = ["SO/2022/00123", "/A", "A//B", "A/cancel", "A/coupon", "A%2FB", "A?b=c#d", "A B", "编号/1", "A+B", "A;b=c", "é"]
WRITTEN = {"as it is": "/", "encoded": ""}


@pytest.mark.parametrize("safe", WRITTEN.values(), ids=list(WRITTEN))
@pytest.mark.parametrize("key", KEYS)
def test_any_key_of_a_file_works_in_every_address(platform: Program, key: str, safe: str) -> None:
    settled = "{at: shipped_at, released_by: cancelled_at}"
    publish(offer("o", settlement=settled) + coupon_offer())
    freight("S", shipped_at="02")
    tick("02 12:00")
    fact = {**FACT, "order_no": key, "placed_at": "2022-09-02T13:00:00Z", "paid_at": None}
    assert platform.post("facts/freight_orders/", {"facts": [fact]}).status == 200
    address = quote(key, safe=safe)
    assert platform.list(f"subjects/freight_order/{address}/")[0]["outcome"] == "no_claim"
    assert platform.post(f"freight-orders/{address}/coupon/").body["order_no"] == key
    assert platform.ask("delete", f"freight-orders/{address}/coupon/").status == 200
    paid = platform.post(f"claims/freight_order/{address}/pay/", {"at": "2022-09-02T14:00:00Z"})
    assert (paid.status, paid.body["key"], paid.body["outcome"]) == (200, key, "granted")
    assert platform.post(f"claims/freight_order/{address}/cancel/", {"at": "2022-09-02T15:00:00Z"}).status == 200
    assert states("o") == {key: "released"}


@pytest.mark.parametrize("code", ["GROUP/1", "集团/1", "A B"])
def test_any_merchant_code_works_in_every_address(platform: Program, code: str) -> None:
    merchant(code)
    publish(offer("o"))
    freight("A", of=code, paid_at="02")
    tick("03")
    address = f"merchants/{quote(code, safe='')}"
    for name in ("benefits", "grants", "coupons", "decisions"):
        assert platform.get(f"{address}/{name}/").status == 200, name
    assert [grant["subject"] for grant in platform.list(f"{address}/grants/")] == ["A"]
    assert len(platform.list(f"statements/2022-09/?merchant={quote(code)}")) == 1


FULL, NORMAL = "Ｑ９００１", "Q9001"


def test_every_door_takes_a_key_in_any_spelling(platform: Program) -> None:
    merchant("Ｍ／９".translate({0xFF0F: "/"}))
    publish(offer("o"))
    facts = {**FACT, "order_no": f" {FULL} ", "merchant_code": "Ｍ/9"}
    claimed = platform.post("claims/", {"subject": "freight_order", "fact": facts})
    assert (claimed.status, claimed.body["key"]) == (201, NORMAL)
    assert FreightOrder.objects.get().pk == NORMAL
    for key in (FULL, NORMAL, f" {FULL}"):
        assert platform.list(f"subjects/freight_order/{quote(key)}/")[0]["outcome"] == "granted", key
        again = platform.post("claims/", {"subject": "freight_order", "key": key})
        assert (again.status, again.body["key"]) == (201, NORMAL), key
    assert platform.list(f"merchants/{quote('Ｍ/9')}/grants/")[0]["subject"] == NORMAL
    assert len(platform.list(f"statements/2022-09/?merchant={quote('Ｍ/9')}")) == 1
    cancelled = platform.post(f"claims/freight_order/{quote(FULL)}/cancel/", {"at": "2022-09-02T20:00:00Z"})
    assert (cancelled.status, cancelled.body["key"]) == (200, NORMAL)


def test_a_key_that_is_a_number_or_a_flag_is_found_as_it_was_recorded(platform: Program) -> None:
    publish(offer("o"))
    for given, recorded in ((2022001, "2022001"), (True, "1")):
        claim = {"subject": "freight_order", "fact": {**FACT, "order_no": given}}
        answer = platform.post("claims/", claim)
        assert (answer.status, answer.body["key"]) == (201, recorded)


def test_pages_and_commands_take_a_key_in_any_spelling(
    platform: Program,
    staff: Staff,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    merchant("G/1")
    publish(offer("o") + coupon_offer())
    freight(NORMAL, of="G/1", paid_at="02", shipped_at="02")
    tick("03")
    desk, owner = staff("ana", "operator"), client(member("owner@example.com", of="G/1"))
    assert "Granted" in desk.get("/admin/eligibility/", {"q": FULL}).content.decode()
    assert owner.get(f"/orders/freight/{quote(FULL)}/").status_code == 200
    coupon = Coupon.objects.get().code
    assert owner.get(f"/wallet/{coupon}/").status_code == 200
    call_command("explain", "o", FULL)
    assert f"{NORMAL} of G/1: granted" in capsys.readouterr().out


def test_normal_form() -> None:
    assert normalize_key(" Ａ/１　") == "A/1"
    assert normalize_key("é") == "é"
