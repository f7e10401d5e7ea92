"""Responses of a production installation behind TLS: headers, cookies, redirects (ASVS 3.3, 3.4, 4.1, 13.4)."""

import json
import os
import subprocess
import sys
from http.cookies import SimpleCookie
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.runner import ROOT
from tests.support.processes import migrated_sqlite
from tests.support.servers import PRODUCTION

SCRIPT = """
import django; django.setup()
from datetime import UTC, datetime
from json import dumps
from django.contrib.auth.models import User
from django.test import Client
from merchants import api_keys, members
from tests.support import world
merchant = world.merchant("M1")
member = members.add("one@example.com", to=merchant, at=datetime.now(UTC), by="t")
member.user.set_password("one-and-only-fair"); member.user.save()
User.objects.create_user("ana", password="one-and-only-fair", is_staff=True)
_, secret = api_keys.issue("t", scopes=["read"], at=datetime.now(UTC), by="t")
key = {"authorization": f"Bearer {secret}"}
client, desk = Client(headers={"host": "fairground.example"}), Client(headers={"host": "fairground.example"})

def record(name, answer):
    print(dumps([name, answer.status_code, dict(answer.headers), answer.cookies.output(header="").splitlines(),
                 b"".join(answer).decode()[:2000]]))

record("page", client.get("/sign-in/", secure=True))
fields = {"username": "one@example.com", "password": "one-and-only-fair"}
record("signed in", client.post("/sign-in/", fields, secure=True))
record("home", client.get("/", secure=True))
record("chinese", client.post("/i18n/setlang/", {"language": "zh-hans"}, secure=True))
record("dark", client.post("/theme/", {"theme": "dark"}, secure=True))
record("operator", desk.post("/sign-in/", fields | {"username": "ana"}, secure=True))
record("board", desk.get("/admin/", secure=True))
record("page in clear", client.get("/sign-in/"))
record("api", client.get("/api/v1/merchants/M1/grants/", headers=key, secure=True))
record("api in clear", client.get("/api/v1/merchants/M1/grants/", headers=key))
record("docs in clear", client.get("/api/v1/docs/"))
record("metrics", client.get("/metrics", headers={"authorization": "Bearer m"}, secure=True))
record("metrics in clear", client.get("/metrics", headers={"authorization": "Bearer m"}))
record("live in clear", client.get("/health/live"))
record("trace", client.generic("TRACE", "/", secure=True, headers={"x-secret": "echoed?"}))
record("not there", client.get("/static/", secure=True))
record("git", client.get("/.git/config", secure=True))
record("missing", client.get("/api/v1/nothing/", headers=key, secure=True))
"""
Answers = dict[str, tuple[int, dict[str, str], list[str], str]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Answers:
    """Return status, headers, cookies and start of the body of each response, by name."""
    database = migrated_sqlite(tmp_path_factory.mktemp("https"), django_db_blocker)
    own = {"DATABASE_URL": database, "REDIS_URL": "", "FAIRGROUND_METRICS_TOKEN": "m"}
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **PRODUCTION, **own}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (status, headers, cookies, body) for name, status, headers, cookies, body in lines}


def test_cookies_are_secure_and_hidden_from_scripts(answers: Answers) -> None:
    seen: dict[str, Any] = {}
    for _status, _headers, cookies, _body in answers.values():
        for line in cookies:
            seen |= SimpleCookie(line)
    assert set(seen) == {f"__Host-{name}" for name in ("sessionid", "csrftoken", "device", "language", "theme")}
    for name, cookie in seen.items():
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", ""), name
        assert cookie["samesite"] == "Lax", name


def test_every_response_has_security_headers(answers: Answers) -> None:
    for name, (status, headers, _cookies, body) in answers.items():
        if "in clear" not in name:
            assert headers["Strict-Transport-Security"] == "max-age=31536000", name
        if status == 301:
            continue
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Referrer-Policy"] == "same-origin", name
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in headers["Content-Security-Policy"], name
        assert "Access-Control-Allow-Origin" not in headers, name
        if body and headers["Content-Type"].startswith("text/"):
            assert "charset=utf-8" in headers["Content-Type"], name


@pytest.mark.parametrize("name", ["home", "board", "api"])
def test_personal_pages_are_not_cached(answers: Answers, name: str) -> None:
    kept = answers[name][1]["Cache-Control"]
    assert "private" in kept
    assert "no-store" in kept or name == "api"


def test_people_are_redirected_to_https_and_programs_refused(answers: Answers) -> None:
    for name in ("page in clear", "docs in clear"):
        status, headers, _cookies, _body = answers[name]
        assert (status, headers["Location"][:8]) == (301, "https://"), name
    status, headers, _cookies, body = answers["api in clear"]
    assert (status, json.loads(body)["code"]) == (401, "insecure")
    assert "Location" not in headers
    assert answers["api"][0] == 200
    assert (answers["metrics"][0], answers["metrics in clear"][0]) == (200, 404)
    assert answers["live in clear"][0] == 200


def test_an_operator_must_set_up_two_step_verification(answers: Answers) -> None:
    assert answers["board"][1]["Location"] == "/account/second-step/"
    assert answers["home"][0] == 200


def test_trace_listings_and_source_files_are_not_served(answers: Answers) -> None:
    assert answers["trace"][0] == 405
    assert "echoed" not in answers["trace"][3]
    assert [answers[name][0] for name in ("not there", "git", "missing")] == [404, 404, 404]
    for name, (_status, headers, _cookies, _body) in answers.items():
        assert not {"Server", "X-Powered-By"} & set(headers), name
