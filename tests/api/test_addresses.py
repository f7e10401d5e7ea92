"""Reading back: addresses of objects, `Location`, facts as recorded, ids of requests, both forms of address."""

import re
from datetime import date

import pytest
from django.test import Client
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from api.deprecation import Deprecation
from api.views.base import ReadView
from campaigns.models import Decision, Grant
from tests.support.programs import FACT, Program, claim_with_fact, program
from tests.support.scenarios import coupon_offer
from tests.support.world import freight, offer, publish, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="addresses and headers, not SQL")]


def path_of(href: str) -> str:
    return href.removeprefix("/api/v1/")


def test_a_claim_names_the_address_at_which_it_is_read(platform: Program) -> None:
    publish(offer("o"))
    claim = platform.post("claims/", claim_with_fact(order_no="SO/1"), once="k")
    assert claim.headers["Location"] == claim.body["href"] == "/api/v1/claims/freight_order/SO%2F1/"
    assert claim.body["id"] == "freight_order/SO/1"
    again = platform.post("claims/", claim_with_fact(order_no="SO/1"), once="k")
    assert (again.headers["Idempotent-Replayed"], again.headers["Location"]) == ("true", claim.body["href"])
    assert platform.get(path_of(claim.body["href"])).body == claim.body
    assert platform.get("claims/freight_order/SO/1/").body == claim.body


def test_reading_a_claim_decides_nothing(platform: Program) -> None:
    publish(offer("o"))
    freight("F", paid_at="02")
    answer = platform.get("claims/freight_order/F/")
    assert (answer.status, answer.body["state"]) == (200, "waiting")
    assert "Location" not in answer.headers
    assert (Grant.objects.exists(), Decision.objects.exists()) == (False, False)


def test_grants_and_coupons_are_read_at_their_addresses(platform: Program) -> None:
    publish(offer("o") + coupon_offer())
    freight("F", paid_at="02", shipped_at="02")
    tick("03")
    freight("P", placed_at="02 12:00")
    for path in ("merchants/M1/grants/", "merchants/M1/coupons/", "merchants/"):
        rows = platform.list(path)
        assert rows
        for row in rows:
            assert platform.get(path_of(row["href"])).body == row
    attached = platform.post("freight-orders/P/coupon/")
    assert attached.headers["Location"] == attached.body["href"]
    assert platform.get(path_of(attached.headers["Location"])).body == attached.body


def test_facts_are_read_as_they_were_recorded(platform: Program) -> None:
    fact = {**FACT, "order_no": "A/1", "promo_flag": True, "base_freight": 12.5}
    assert platform.post("facts/freight_orders/", {"facts": [fact]}).status == 200
    read = platform.get("facts/freight_orders/A/1/").body
    assert read["kind"] == "freight_orders"
    assert read["fact"]["base_freight"] == "12.50"
    assert read["fact"]["paid_at"] == "2022-09-02T04:00:00Z"
    assert (read["fact"]["promo_flag"], read["fact"]["cancelled_at"]) == (True, None)
    kept = platform.ask("put", "facts/freight_orders/", {"facts": [read["fact"]]})
    assert (kept.body["changed"], kept.body["unchanged"]) == (0, 1)


def test_facts_with_a_key_of_several_columns_are_listed_by_merchant(platform: Program) -> None:
    recorded = {"merchant_code": "M1", "line": "x", "configured_at": "2022-09-01T00:00:00Z"}
    assert platform.post("facts/freight_templates/", {"facts": [recorded]}).status == 200
    assert platform.get("facts/freight_templates/M1/").status == 404
    [row] = platform.list("facts/freight_templates/?merchant=M1")
    assert row["fact"] == {**recorded, "rts_products": 0}
    assert platform.get("facts/no_such_kind/").status == 404


def test_facts_are_read_on_in_the_order_of_their_keys(platform: Program) -> None:
    for n in range(5):
        freight(f"é{n}")
    first = platform.get("facts/freight_orders/?size=2").body
    second = platform.get(path_of(first["next"].partition("testserver")[2])).body
    assert [row["fact"]["order_no"] for row in first["results"] + second["results"]] == ["é0", "é1", "é2", "é3"]
    assert platform.get("facts/freight_orders/?cursor=nonsense").status == 400


def test_conditions_are_explained_by_values_and_words(platform: Program) -> None:
    window = "{from: 2022-09-01 00:00:00, to: 2022-09-20 23:59:59}"
    conditions = [
        "{fact: base_freight, at_least: 500.00}",
        "{fact: service, in: [express, multimodal]}",
        f"{{fact: paid_at, within: {window}}}",
        "{code: soon, fact: paid_at, within: {first_days: 2, after: placed_at}}",
        "{code: weekend, fact: paid_at, within: {weekdays: [sat, sun], zone: UTC}}",
        "{count: freight_orders, where: [{fact: service, is: express}], at_least: 3}",
        "{in_force: membership, of: [export_pass]}",
        "{fact: promo_flag, is: 'no'}",
    ]
    publish(offer("o", conditions=f"[{', '.join(conditions)}]"))
    refused = platform.post("claims/", claim_with_fact(base_freight="480.00"))
    assert refused.status == 409
    values = ("operator", "required", "actual", "shortfall", "unit", "held")
    results = {each["name"]: tuple(each[name] for name in values) for each in refused.body["answers"][0]["conditions"]}
    bounds = {"from": "2022-09-01T00:00:00Z", "to": "2022-09-21T00:00:00Z"}
    assert results["base_freight"] == ("at_least", "500.00", "480.00", "20.00", "CNY", False)
    assert results["service"] == ("in", ["express", "multimodal"], "express", None, None, True)
    assert results["paid_at"] == ("within", bounds, "2022-09-02T04:00:00Z", None, None, True)
    assert results["soon"] == ("within", 2, "2022-09-02T04:00:00Z", None, "days", False)
    assert results["weekend"][1:] == (["sat 00:00/24:00", "sun 00:00/24:00"], *results["soon"][2:4], "weekdays", False)
    assert results["freight_orders"] == ("at_least", 3, 1, 2, "freight_orders", False)
    assert results["membership"] == ("in_force", ["export_pass"], None, None, None, False)
    assert results["promo_flag"] == ("is", False, False, None, None, True)
    [freight_result] = [c for c in refused.body["answers"][0]["conditions"] if c["name"] == "base_freight"]
    assert freight_result["shortfall_text"] == "20.00 CNY short"


def test_every_response_has_the_id_of_its_request(platform: Program) -> None:
    made = platform.get("offers/").headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f-]{36}", made)
    assert platform.get("offers/").headers["X-Request-ID"] != made
    for given, kept in (("order-4711_a.b", True), ("short", False), ("has space 123", False), ("x" * 65, False)):
        answer = platform.get("nothing/", **{"x-request-id": given})
        assert (answer.headers["X-Request-ID"] == given) is kept


def test_addresses_are_accepted_without_their_last_slash(platform: Program) -> None:
    publish(offer("o"))
    assert platform.get("offers").body == platform.get("offers/").body
    claimed = platform.post("claims", claim_with_fact())
    assert (claimed.status, claimed.body["state"]) == (201, "settled")
    assert platform.post("claims/freight_order/A/cancel", {"at": "2022-09-02T15:00:00Z"}).status == 200
    assert Client().get("/api/v1/schema").status_code == 200


def test_deprecated_operations_say_so_in_headers() -> None:
    announced = Deprecation(since=date(2026, 1, 1), sunset=date(2026, 7, 1), see="https://example.com/docs")

    class Old(ReadView):
        authentication_classes, permission_classes, throttle_classes = (), (), ()
        deprecations = {"GET": announced}

        def get(self, request: Request) -> Response:
            return Response({})

        def post(self, request: Request) -> Response:
            return Response({})

    view = Old.as_view()
    answer = view(APIRequestFactory().get("/"))
    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"] == "Wed, 01 Jul 2026 00:00:00 GMT"
    assert answer.headers["Link"] == '<https://example.com/docs>; rel="deprecation"'
    assert "Deprecation" not in view(APIRequestFactory().post("/")).headers
    with pytest.raises(ValueError, match="180 days"):
        Deprecation(since=date(2026, 1, 1), sunset=date(2026, 6, 1), see="x")


def test_a_stranger_reads_nothing_back(platform: Program) -> None:
    publish(offer("o"))
    freight("F", paid_at="02")
    tick("03")
    stranger = program("read", of="M2")
    grant = Grant.objects.get()
    for path in ("claims/freight_order/F/", f"grants/{grant.pk}/", "facts/freight_orders/F/", "merchants/M1/"):
        assert (platform.get(path).status, stranger.get(path).status) == (200, 404), path
