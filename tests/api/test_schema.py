"""OpenAPI schema: valid, complete, and kept: every operation answers as it is declared."""

import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from api import urls
from api.views import schema
from campaigns.models import Coupon, Grant
from merchants.models import ApiKey
from tests.support import contract
from tests.support.allowances import allowance
from tests.support.marketplace import account, buyer, request, service_order
from tests.support.programs import FACT, Program, claim_with_fact, program
from tests.support.receivers import Receiver
from tests.support.scenarios import coupon_offer, request_offer
from tests.support.world import freight, offer, publish, tick


def test_the_schema_is_valid_and_complete() -> None:
    answer = Client().get("/api/v1/schema/")
    document = YAML(typ="safe").load(answer.content)
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) == len(urls.urlpatterns) - 4  # all but pages for people and the one for none
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_the_documentation_page_needs_no_other_server() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert "https://" not in page


@pytest.mark.django_db
def test_the_schema_is_generated_once_for_each_language_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    schema.rendered.cache_clear()
    generated: list[object] = []
    generate: Any = SchemaGenerator.get_schema

    def get_schema(generator: object, **options: object) -> Any:
        generated.append(generator)
        return generate(generator, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", get_schema)
    client = Client()
    wanted = [("en", "json"), ("zh-hans", "json"), ("en", "yaml"), ("no-such-language", "json")]
    for n in range(3):
        for language, form in wanted:
            accepted = f"application/vnd.oai.openapi{'+json' if form == 'json' else ''}"
            answer = client.get(f"/api/v1/schema/?lang={language}&n={n}", headers={"accept": accepted})
            assert (answer.status_code, answer.headers["content-type"]) == (200, accepted)
            assert answer.content == schema.rendered(*key_of(language, form))
    assert len(generated) == 3


def key_of(language: str, form: str) -> tuple[Any, str]:
    renderer = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}[form]
    return renderer, language if language in ("en", "zh-hans") else "en"


KEY = {"subject": "freight_order", "key": "F"}
TRADE = {"order_no": "T", "merchant_code": "M1", "product": "trade_assurance", "amount_usd": "1.00"}
REQUESTED = (("o", 200), ("tool", 201), ("awaited", 202), ("subs", 409))
CALLS = [
    ("get", "campaigns/", None, 200),
    ("get", "offers/", None, 200),
    ("get", "offers/o/", None, 200),
    ("get", "offers/o/quota/", None, 200),
    ("get", "offers/o/quota/history/", None, 200),
    ("get", "statements/2022-09/", None, 200),
    ("get", "merchants/M1/benefits/", None, 200),
    ("get", "merchants/M1/grants/", None, 200),
    ("get", "merchants/M1/coupons/", None, 200),
    ("get", "merchants/M1/decisions/", None, 200),
    ("get", "merchants/M1/entitlements/", None, 200),
    ("get", "merchants/M1/ratings/", None, 200),
    ("get", "buyers/B1/entitlements/", None, 200),
    ("get", "allowances/?merchant=M1", None, 200),
    ("post", "usages/", {"usage_no": "U", "merchant_code": "M1", "account_code": "A1", "use": "mail"}, 201),
    ("get", "usages/U/", None, 200),
    ("get", "merchants/", None, 200),
    ("get", "merchants/M1/", None, 200),
    ("get", "grants/GRANT/", None, 200),
    ("get", "coupons/COUPON/", None, 200),
    ("get", "subjects/freight_order/F/", None, 200),
    ("get", "claims/freight_order/F/", None, 200),
    ("get", "facts/freight_orders/", None, 200),
    ("get", "facts/freight_orders/F/", None, 200),
    ("post", "quotes/", KEY, 200),
    ("post", "claims/", KEY, 201),
    ("post", "claims/", {"subject": "trade_order", "fact": {**TRADE, "completed_at": "2022-09-02T00:00:00Z"}}, 202),
    ("post", "claims/", claim_with_fact(order_no="G", paid_at=None), 200),
    ("post", "claims/", claim_with_fact(order_no="H", base_freight="1.00"), 409),
    *(("post", "claim-requests/", {"offer": code, "account_code": "A1"}, status) for code, status in REQUESTED),
    ("post", "claims/freight_order/F/cancel/", {"at": "2022-09-02T20:00:00Z"}, 200),
    ("post", "facts/freight_orders/", {"facts": [{**FACT, "order_no": "N"}]}, 200),
    ("patch", "facts/freight_orders/", {"facts": [{"order_no": "N", "base_freight": 2}]}, 200),
    ("put", "facts/freight_orders/", {"facts": [{**FACT, "order_no": "N"}]}, 200),
    ("post", "freight-orders/P/coupon/", None, 201),
    ("post", "keys/", {"name": "shop", "scopes": ["read"]}, 201),
    ("get", "keys/", None, 200),
    ("get", "keys/KEY/", None, 200),
    ("post", "keys/KEY/rotate/", {}, 201),
    ("delete", "keys/KEY/", None, 200),
    ("post", "webhooks/", {"name": "shop", "url": "URL"}, 201),
    ("get", "webhooks/", None, 200),
    ("get", "webhooks/WEBHOOK/", None, 200),
    ("patch", "webhooks/WEBHOOK/", {"name": "new"}, 200),
    ("post", "webhooks/WEBHOOK/rotate/", None, 201),
    ("post", "webhooks/WEBHOOK/test/", None, 202),
    ("get", "webhooks/WEBHOOK/deliveries/", None, 200),
    ("get", "deliveries/DELIVERY/", None, 200),
    ("post", "deliveries/DELIVERY/resend/", None, 202),
    ("delete", "freight-orders/P/coupon/", None, 200),
    ("post", "service-orders/S/coupon/", None, 201),
    ("delete", "service-orders/S/coupon/", None, 200),
    ("post", "allowances/", {"offer": "quotes", "account_code": "A1"}, 201),
]


MADE = {("post", "keys/"): "KEY", ("post", "webhooks/"): "WEBHOOK", ("post", "webhooks/WEBHOOK/test/"): "DELIVERY"}


@pytest.mark.django_db
def test_every_operation_answers_with_each_status_of_success_that_it_declares(
    platform: Program, receivers: list[Receiver]
) -> None:
    """The client of the tests checks every response against the schema; this test leaves no operation out."""
    later = {"benefit": "{fee: service_fee, percent: 50}", "settlement": "", "claim": "{at: completed_at}"}
    publish(
        offer("o", conditions="[{fact: base_freight, at_least: 500.00}]", quota="{limit: 5}")
        + offer("later", subject="trade_order", decided_at="2022-09-10 00:00:00", **later)
        + coupon_offer()
        + request_offer("tool")
        + request_offer("awaited", decided_at="2022-09-10 00:00:00")
        + request_offer("subs", conditions="[{fact: account.role, is: sub}]")
        + "allowances:\n"
        + allowance("mails", "mail")
        + allowance("quotes", "quote", collected="yes")
    )
    freight("F", paid_at="02", shipped_at="02")
    account()
    buyer()
    request("R", "tool", "02")
    tick("03")
    freight("P", placed_at="02 10:00")
    service_order("S", "02 10:00")
    manager, seen = program(*ApiKey.Scope.values), set()
    [grant] = Grant.objects.filter(subject="F", offer__code="o").values_list("pk", flat=True)
    coupon = Coupon.objects.filter(offer__code="c").values_list("code", flat=True)[0]
    made: dict[str, Any] = {"GRANT": grant, "URL": receivers[0].url, "COUPON": coupon}
    for method, template, body, status in CALLS:
        path = re.sub("[A-Z]{3,}", lambda found: str(made.get(found[0], found[0])), template)
        answer = manager.ask(method, path, {**body, "url": made["URL"]} if body and "url" in body else body)
        assert answer.status == status, (path, answer.body)
        if name := MADE.get((method, template)):
            made[name] = answer.body["id"]
        operation = contract.find(method, f"/api/v1/{path}".partition("?")[0])
        assert operation is not None
        if status < 300:
            seen.add((operation.name, str(status)))
    assert seen == set(contract.declared_statuses())


@pytest.mark.parametrize(
    ("status", "kind", "body", "fault"),
    [
        (201, "application/json", {"next": None, "previous": None, "results": []}, "201 is not declared"),
        (200, "text/html", {"next": None, "previous": None, "results": []}, "answers text/html"),
        (200, "application/json", [], "is not of type"),
        (200, "application/json", {"next": None, "results": []}, "previous"),
        (200, "application/json", {"next": None, "previous": None, "results": [], "count": 1}, "count"),
        (200, "application/json", {"next": None, "previous": None, "results": [{"code": "c"}]}, "name_en"),
    ],
)
def test_control_a_response_that_is_not_declared_fails(status: int, kind: str, body: object, fault: str) -> None:
    content = json.dumps(body).encode()
    with pytest.raises(AssertionError, match=fault):
        contract.check("get", "/api/v1/campaigns/", status=status, content_type=kind, body=content)
