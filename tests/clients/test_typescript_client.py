"""TypeScript client: its types are current, it compiles, and it talks to a running server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from standardwebhooks.webhooks import Webhook

from merchants import api_keys
from tests.generate_clients import TYPESCRIPT
from tests.support.members import clock
from tests.support.world import freight, merchant, offer, publish

# One group: the client is installed and compiled once.
pytestmark = pytest.mark.once(reason="the client sees HTTP alone")
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SCRIPT = """
import { fairground, once, verifyWebhook } from "./dist/index.js";
const [url, key, secret, id, at, signature] = process.argv.slice(2);
const client = fairground(url, key);
const body = { subject: "freight_order", key: "A" };
const claim = await client.POST("/api/v1/claims/", { params: { header: once() }, body });
const quota = await client.GET("/api/v1/offers/{code}/quota/", { params: { path: { code: "o" } } });
const missing = await client.GET("/api/v1/offers/{code}/", { params: { path: { code: "none" } } });
const headers = new Headers({ "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature });
const event = await verifyWebhook(secret, headers, '{"type": "endpoint.tested"}');
const forged = await verifyWebhook(secret, headers, "{}").catch((error) => error.message);
let tries = 0;
const busy = async () => new Response("{}", { status: ++tries < 3 ? 503 : 200 });
await fairground(url, key, { fetch: busy, sleep: async () => {} }).GET("/api/v1/offers/");
console.log(claim.data.state, quota.data.used, missing.error.code, event.type, forged, tries);
"""


def run(*command: str, cwd: Path = TYPESCRIPT) -> str:
    """Run a program and return its output; fail with what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Copy the client to a folder of its own, install what it needs and compile it."""
    if not shutil.which("node") or not shutil.which("npm"):
        text = "NOT TESTED: needs the programs node and npm"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    folder = tmp_path_factory.mktemp("clients") / "typescript"
    shutil.copytree(TYPESCRIPT, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(TYPESCRIPT.parent / "openapi.json", folder.parent)
    run("npm", "ci", "--no-audit", "--no-fund", cwd=folder)
    run("npm", "run", "build", cwd=folder)
    yield folder


def test_the_types_are_current(compiled: Path) -> None:
    """Run `npm ci` in the folder of the client, then `python -m tests.generate_clients`, if they are not."""
    run("npm", "run", "check", cwd=compiled)


def test_control_an_unknown_parameter_does_not_compile(compiled: Path) -> None:
    wrong = 'import { fairground } from "./index.js";\nawait fairground("", "").GET("/api/v1/nothing/", {});\n'
    (compiled / "src" / "wrong.ts").write_text(wrong)
    done = subprocess.run(["npx", "tsc", "--noEmit"], cwd=compiled, capture_output=True, text=True, check=False)
    (compiled / "src" / "wrong.ts").unlink()
    assert done.returncode != 0
    assert "/api/v1/nothing/" in done.stdout


def test_it_claims_reads_and_verifies(
    compiled: Path, transactional_db: None, live_server: LiveServer, settings: Settings
) -> None:
    settings.DEMO = True
    clock("03")
    merchant("M1")
    publish(offer("o", quota="{limit: 5}"))
    freight("A", paid_at="02")
    _key, text = api_keys.issue("ts", scopes=["read", "claim"], at=timezone.now(), by="test")
    at = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", at, '{"type": "endpoint.tested"}')
    (compiled / "claim.mjs").write_text(SCRIPT)
    arguments = (live_server.url, text, SECRET, "msg_1", str(int(at.timestamp())), signature)
    printed = run("node", "claim.mjs", *arguments, cwd=compiled)
    assert printed.strip() == "settled 1 not_found endpoint.tested no signature is by this secret 3"
