"""The command `explain`: the same explanation as text and as data."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from tests.support.world import freight, merchant, offer, publish, tick

pytestmark = pytest.mark.django_db


def explain(*options: str) -> str:
    out = StringIO()
    call_command("explain", "o", "F1", *options, stdout=out)
    return out.getvalue()


def test_as_data_each_condition_has_required_found_and_held() -> None:
    merchant()
    publish(offer("o", conditions="[{fact: base_freight, at_least: 500.00}]"))
    freight("F1", paid_at="02", base_freight=100)
    tick("03")
    data = json.loads(explain("--json", "--as-of", "2022-09-03T00:00:00Z"))
    [condition] = data["conditions"]
    assert data["outcome"] == "refused"
    assert condition["held"] is False
    assert condition["required"] == "base freight is at least 500.00"
    assert condition["found"] == "100.00"
