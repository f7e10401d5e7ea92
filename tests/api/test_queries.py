"""Parameters of addresses: faulty ones are 400 and named; lists are read in pages of one form."""

from itertools import pairwise
from typing import Any

import pytest

from campaigns.models import Coupon
from tests.support.programs import Program
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import freight, offer, publish, tick

pytestmark = pytest.mark.django_db

LISTS = [
    "campaigns/",
    "offers/",
    "offers/c/quota/history/",
    "statements/2022-09/",
    "merchants/M1/benefits/",
    "merchants/M1/grants/",
    "merchants/M1/coupons/",
    "merchants/M1/decisions/",
    "subjects/merchant/M1/",
]
NOT_NUMBERS = ["0", "-1", "101", "abc", "1.5", "", "1" * 30]
NOT_CURSORS = ["", "x", "Zm9v", "cD0x%00", "cD1hYmM=", "bz0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "é"]
FAULTS = [
    # All lists read these parameters by the same code: one meets every fault, the others one.
    *(("offers/", f"size={size}", "size") for size in NOT_NUMBERS),
    *(("merchants/M1/grants/", f"cursor={cursor}", "cursor") for cursor in NOT_CURSORS if "%00" not in cursor),
    *((path, "size=101&cursor=x", "size") for path in LISTS),
    *((path, "sise=10", "sise") for path in LISTS),
    *((path, "size=1&size=2", "size") for path in LISTS),
    ("offers/", "campain=x", "campain"),
    ("offers/o/", "verbose=1", "verbose"),
    ("offers/o/quota/", "size=1", "size"),
    ("merchants/M1/grants/", "status=lost", "status"),
    ("merchants/M1/grants/", "statuss=settled", "statuss"),
    ("merchants/M1/grants/", "status=", "status"),
    ("offers/", "campaign=nope", "campaign"),
    ("merchants/M1/grants/", "offer=nope", "offer"),
    ("merchants/M1/decisions/", "offer=nope", "offer"),
    ("statements/2022-09/", "offer=nope", "offer"),
    ("merchants/M1/coupons/", "status=settled", "status"),
    ("merchants/M1/decisions/", "outcome=lost", "outcome"),
    ("merchants/M1/decisions/", "status=settled", "status"),
    ("statements/2022-09/", "merchants=M1", "merchants"),
    ("statements/2022-09/", "payer=nobody", "payer"),
    ("statements/2022-13/", "", "month"),
    ("statements/2022-9/", "", "month"),
    ("statements/202209/", "", "month"),
    ("statements/２０２２-09/", "", "month"),
    ("statements/0000-01/", "", "month"),
    ("statements/1969-12/", "", "month"),
    ("statements/9999-12/", "", "month"),
    ("statements/september/", "", "month"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "query", "name"), FAULTS)
def test_a_faulty_parameter_is_a_400_that_names_it(platform: Program, path: str, query: str, name: str) -> None:
    publish(offer("o") + coupon_offer())
    answer = platform.get(f"{path}?{query}")
    assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert [error["parameter"] for error in answer.body["errors"]] == [name]


def test_an_unknown_parameter_is_answered_with_the_known_ones(platform: Program) -> None:
    [error] = platform.get("merchants/M1/grants/?statuss=settled").body["errors"]
    assert error == {
        "parameter": "statuss",
        "code": "unknown",
        "detail": "Unknown parameter. This address has: cursor, size, offer, status. Did you mean status?",
    }
    [none] = platform.get("offers/o/quota/?colour=red").body["errors"]
    assert none["detail"] == "Unknown parameter. This address has: none."


@pytest.mark.parametrize(("path", "body"), [("quotes/", {}), ("claims/", {}), ("facts/freight_orders/", {})])
def test_writes_refuse_parameters_too(platform: Program, path: str, body: Any) -> None:
    answer = platform.post(f"{path}?dry_run=1", body)
    assert (answer.status, [error["parameter"] for error in answer.body["errors"]]) == (400, ["dry_run"])


def walk(platform: Program, path: str, size: int) -> list[Any]:
    """Return all rows of a list, by following `next`; the way back by `previous` leads to the same pages."""
    pages, address = [], f"{path}?size={size}"
    while address:
        answer = platform.get(address)
        assert (answer.status, set(answer.body)) == (200, {"next", "previous", "results"})
        assert len(answer.body["results"]) <= size
        pages.append(answer.body)
        address = (answer.body["next"] or "").partition("/api/v1/")[2]
    assert pages[0]["previous"] is None
    for before, page in pairwise(pages):
        assert platform.get(page["previous"].partition("/api/v1/")[2]).body["results"] == before["results"]
    return [row for page in pages for row in page["results"]]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_read_in_pages(platform: Program, path: str) -> None:
    bundles = BUNDLE.replace("count: 1", "count: 3")
    publish(coupon_offer(benefit=bundles) + coupon_offer(benefit=bundles).replace("code: c", "code: d"))
    publish(offer("o"), heading="campaign: other\nnames: {en: Other, zh: 另}\nzone: UTC\n")
    for n in range(5):
        freight(f"F{n}", paid_at=f"02 0{n}:00", shipped_at="02 12:00")
    tick("03")
    every = walk(platform, path, 100)
    assert every
    for size in (1, 2, len(every)):
        assert walk(platform, path, size) == every


def test_pages_of_coupons_are_newest_first(platform: Program) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 3")))
    freight("S", shipped_at="02")
    tick("03")
    codes = [coupon["code"] for coupon in walk(platform, "merchants/M1/coupons/", 2)]
    assert codes == list(Coupon.objects.order_by("-pk").values_list("code", flat=True))
