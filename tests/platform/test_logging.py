"""JSON logs: each line has its request, API key and tick run, and no secret."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pytest_django import DjangoDbBlocker

from tests.runner import ROOT
from tests.support.processes import migrated_sqlite

SCRIPT = """
import django; django.setup()
from datetime import UTC, datetime
from django.test import Client
from campaigns.engine import ticker
from merchants import api_keys
_, secret = api_keys.issue("t", scopes=["read"], at=datetime.now(UTC), by="t")
client = Client(headers={"authorization": f"Bearer {secret}"})
answer = client.get("/api/v1/merchants/SECRET-CODE/grants/?cursor=SECRET-QUERY")
assert answer.status_code == 404
print("REQUEST IS " + answer.headers.get("X-Request-ID", ""))
client.post("/sign-in/", {"username": "SECRET-NAME", "password": "SECRET-WORD"}, REMOTE_ADDR="10.0.0.9")
client.get("/calendar/SECRET-ADDRESS.ics")
ticker.tick(at=datetime(2022, 9, 1, tzinfo=UTC))
print("SECRET IS " + secret)
"""


def test_json_lines_have_context_and_no_secrets(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    own = {"DATABASE_URL": migrated_sqlite(tmp_path, django_db_blocker), "FAIRGROUND_LOGS": "json", "REDIS_URL": ""}
    environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "config.settings", "ALLOWED_HOSTS": "testserver"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    secret = done.stdout.split("SECRET IS ")[1].strip()
    assert secret not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert "SECRET" not in done.stderr
    request = done.stdout.split("REQUEST IS ")[1].split()[0]
    [finished] = [entry for entry in lines if entry["event"] == "request_finished" and entry["request_id"] == request]
    assert (finished["code"], finished["request"]) == (404, "GET api/v1/merchants/<str:merchant>/grants/")
    assert (finished["program"], finished["user_id"]) == (secret.split("_")[1], None)
    [refused] = [entry for entry in lines if entry["event"] == "sign-in failed"]
    assert (refused["user"], refused["address"], refused["logger"]) == (None, "10.0.0.9", "fairground.security")
    assert refused["timestamp"].endswith("Z")
    [ticked] = [entry for entry in lines if entry["event"] == "ticked"]
    assert (ticked["run"], ticked["decided"], ticked["level"]) == (1, 0, "info")
