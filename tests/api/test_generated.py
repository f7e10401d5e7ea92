"""Requests generated from the schema, single and chained: responses conform to the schema."""

import os
import subprocess
import sys

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from merchants import api_keys
from tests.support.members import clock
from tests.support.scenarios import coupon_offer
from tests.support.world import freight, merchant, offer, publish, tick

pytestmark = pytest.mark.once(reason="responses are compared with the schema; other tests ask each view")

# Every edge of every parameter, `examples,coverage`, takes a minute more.
PHASES = os.environ.get("SCHEMATHESIS_PHASES", "fuzzing,stateful")
RUN = (
    "-m schemathesis.cli --config-file tests/api/schemathesis.toml run --checks all --mode all --max-examples 5 "
    f"--phases {PHASES} --seed 20220901 --continue-on-failure --warnings off --no-color "
    "--request-timeout 30"
).split()


def test_responses_conform_to_the_schema(transactional_db: None, live_server: LiveServer, settings: Settings) -> None:
    settings.DEMO, settings.API_RATE = True, 10**9
    clock("03")
    merchant("M1")
    publish(offer("o", quota="{limit: 3}") + coupon_offer())
    freight("F", placed_at="02", paid_at="02")
    tick("03")
    _key, secret = api_keys.issue("test", scopes=["read", "claim", "facts"], at=timezone.now(), by="test")
    finished = subprocess.run(
        [sys.executable, *RUN, "--header", f"Authorization: Bearer {secret}", f"{live_server.url}/api/v1/schema/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
