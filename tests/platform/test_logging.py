"""JSON logs: each line has its request, API key and tick run, and no secret."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pytest_django import DjangoDbBlocker

from tests.runner import ROOT
from tests.support.processes import migrated_sqlite
from tests.support.servers import web

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
    assert (finished["code"], finished["request"]) == (404, "GET api/v1/merchants/<key:merchant>/grants/")
    assert (finished["program"], finished["user_id"]) == (secret.split("_")[1], None)
    [refused] = [entry for entry in lines if entry["event"] == "sign-in failed"]
    assert (refused["user"], refused["address"], refused["logger"]) == (None, "10.0.0.9", "fairground.security")
    assert refused["timestamp"].endswith("Z")
    [ticked] = [entry for entry in lines if entry["event"] == "ticked"]
    assert (ticked["run"], ticked["decided"], ticked["level"]) == (1, 0, "info")


LINES = """
import django; django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
client.get("/password/SECRET/set-password/")
client.get("/calendar/SECRET.ics")
client.get("/no-such-page/SECRET")
client.post("/password/SECRET-1/SECRET-2/", headers={"origin": "https://evil.example"})
Client(enforce_csrf_checks=True).post("/password/SECRET-1/SECRET-2/")
client.get("/admin/campaigns/offer/?SECRET__year=0")
client.get("/calendar/a%00SECRET.ics")
client.get("/calendar/SECRETé.ics")
def failing(*_, **__):
    raise RuntimeError("fault point")
from merchants.models import Member
Member.objects.filter = failing
assert client.get("/calendar/SECRET.ics").status_code == 500
"""


@pytest.mark.parametrize("form", ["line", "json"])
def test_no_line_names_an_address(form: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    own = {"DATABASE_URL": migrated_sqlite(tmp_path, django_db_blocker), "FAIRGROUND_LOGS": form, "REDIS_URL": ""}
    environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "config.settings", "ALLOWED_HOSTS": "testserver"}
    done = subprocess.run(
        [sys.executable, "-c", LINES], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert "SECRET" not in done.stderr
    assert "fault point" in done.stderr
    assert "GET calendar/<str:key>.ics" in done.stderr


def test_the_access_log_of_the_web_server_has_routes(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with web(f"--workers 1 --access-logfile {log}") as port:
        for path in ("calendar/SECRET.ics?SECRET", "no-such-page/SECRET"):
            with pytest.raises(HTTPError):
                urlopen(f"http://127.0.0.1:{port}/{path}")
    lines = log.read_text()
    assert "SECRET" not in lines
    assert '"GET calendar/<str:key>.ics" ' in lines
