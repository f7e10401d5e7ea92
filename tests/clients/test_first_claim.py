"""The page "First claim in five minutes", followed to the letter on a server of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.runner import ROOT
from tests.support.processes import migrated_sqlite
from tests.support.servers import PATIENCE, free_port

BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)
MARK = "@@ end of block"
WORLD = """
import django; django.setup()
from django.core.management import call_command
from core.models import DEMO_START, DemoClock
from merchants import api_keys
from tests.support.world import merchant
call_command("load_campaign", "september-2022")
from campaigns.engine import ticker
merchant("M00003")
ticker.tick(at=DEMO_START)
DemoClock.objects.create()
api_keys.ensure_sandbox(at=DEMO_START)
"""


def script(blocks: list[tuple[str, str, str]], ports: dict[str, str]) -> str:
    """Return the shell blocks of the page as one script, on other ports, with a mark after each."""
    text = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
    text += "".join(f"{body}echo; echo '{MARK}'\n" for kind, _file, body in blocks if kind == "sh")
    for own, free in ports.items():
        text = text.replace(f":{own}", f":{free}")
    return text


def expectations(blocks: list[tuple[str, str, str]]) -> list[list[str]]:
    """Return the lines that the output of each shell block must have."""
    expected: list[list[str]] = []
    for kind, _file, body in blocks:
        if kind == "sh":
            expected.append([])
        elif kind == "text":
            expected[-1] += body.splitlines()
    return expected


@pytest.mark.once(reason="a server in a process of its own, on SQLite")
def test_every_command_of_the_page_does_what_it_says(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "first-claim.md").read_text(encoding="utf-8"))
    ports = {"8000": str(free_port()), "9000": str(free_port())}
    for _kind, file, body in blocks:
        if file:
            (tmp_path / file).write_text(body.replace("9000", ports["9000"]), encoding="utf-8")
    names = ("REDIS_URL", "SECRET_KEY", "SITE_URL")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in names},
        "DATABASE_URL": migrated_sqlite(tmp_path, django_db_blocker),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "FAIRGROUND_DEMO": "1",
        "FAIRGROUND_WEBHOOKS_PRIVATE": "1",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python/src'}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    subprocess.run([sys.executable, "-c", WORLD], cwd=ROOT, env=environment, check=True)
    with (tmp_path / "server.log").open("w") as log:
        command = [sys.executable, "manage.py", "up", "--port", ports["8000"]]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    waiting = f"until curl --silent --output /dev/null http://127.0.0.1:{ports['8000']}/health/live; do :; done\n"
    try:
        done = subprocess.run(
            ["bash", "-c", waiting + script(blocks, ports)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "server.log").read_text()
    outputs = done.stdout.split(MARK)
    for output, lines in zip(outputs, expectations(blocks), strict=False):
        for line in lines:
            assert line in output, f"expected {line!r}:\n{output}\n{done.stderr}"
    assert "fg_sandbox_fairground" in (tmp_path / "server.log").read_text()
