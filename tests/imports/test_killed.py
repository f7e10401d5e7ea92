"""A killed import stores nothing of its file, and a rerun stores all of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from merchants.models import Merchant
from tests.support.importing import ORDER, order
from tests.support.processes import migrated_sqlite, url
from tests.support.world import tell

ROOT = Path(__file__).resolve().parents[2]
ROWS = 20_000  # more than the importer reads, checks or writes at a time


@pytest.fixture
def environment(tmp_path: Path, transactional_db: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    """Environment with a database that other processes can open: the test's own, or a file for SQLite in memory."""
    tell(Merchant, code="M1")
    folder = tmp_path / "facts"
    folder.mkdir()
    lines = "".join(order(f"F{number}") for number in range(ROWS))
    (folder / "freight_orders.csv").write_text(ORDER + lines)
    database = url() if connection.vendor == "postgresql" else migrated_sqlite(tmp_path, django_db_blocker)
    return {**os.environ, "DATABASE_URL": database}


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
    with importer(tmp_path / "facts", place, environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert output_of(tmp_path / "facts", "look", environment) == "0 orders, 0 imports\n"
    assert output_of(tmp_path / "facts", "never", environment) == f"{ROWS} orders, 1 imports\n"
