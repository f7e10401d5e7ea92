"""A killed import stores nothing of its file, and a rerun stores all of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.support.importing import ORDER, order

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path, transactional_db: None) -> dict[str, str]:
    """Environment with a database that other processes can open: the test's own, or a file for SQLite in memory."""
    if connection.vendor == "postgresql":
        parts = connection.settings_dict
        url = f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT'] or 5432}/{parts['NAME']}"
    else:
        url = f"sqlite:///{tmp_path.parent / f'{tmp_path.name}.sqlite3'}"
    environment = {**os.environ, "DATABASE_URL": url}
    (tmp_path / "merchants.csv").write_text("merchant_code\nM1\n")
    for command in (["migrate", "-v0"], ["import_facts", str(tmp_path)]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)
    lines = "".join(order(f"F{number}") for number in range(50_000))
    (tmp_path / "freight_orders.csv").write_text(ORDER + lines)
    return environment


def importer(folder: Path, place: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.importer", str(folder), place]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)


def output_of(folder: Path, place: str, environment: dict[str, str]) -> str:
    with importer(folder, place, environment) as process:
        return process.communicate()[0]


@pytest.mark.parametrize("place", ["row", "commit"])
def test_a_killed_import_stores_nothing_and_a_rerun_stores_the_file(
    place: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    with importer(tmp_path, place, environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert output_of(tmp_path, "look", environment) == "0 orders, 0 imports\n"
    assert output_of(tmp_path, "never", environment) == "50000 orders, 1 imports\n"
