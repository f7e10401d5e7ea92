"""Other processes on the PostgreSQL database of the test, which stop where the test wants."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.support.guards import unguarded
from tests.support.servers import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]

PREAMBLE = """
import os, signal, sys
import django
django.setup()
from datetime import datetime
from django.db import connection, transaction
from django.db.models import QuerySet
from campaigns.coupons import issuing, redemption
from campaigns.engine import claim_decisions, ticker
from campaigns.ledger import journal
from campaigns.offers import published_offers
from campaigns.models import Offer

def stop(word):
    print(word, flush=True)
    sys.stdin.readline()

def stopping(module, name, word):
    'Stop each time before a function is called.'
    original = getattr(module, name)
    def stopped(*args, **kwargs):
        stop(word)
        return original(*args, **kwargs)
    setattr(module, name, stopped)

def tick(at):
    ticker.tick(at=datetime.fromisoformat(at))
"""


def url() -> str:
    """Return the URL of the test database, for another process."""
    s = connection.settings_dict
    login = quote(str(s["USER"])) + (f":{quote(str(s['PASSWORD']))}" if s["PASSWORD"] else "")
    return f"postgres://{login}@{s['HOST'] or '127.0.0.1'}:{s['PORT'] or 5432}/{s['NAME']}"


def migrated_sqlite(folder: Path, blocker: DjangoDbBlocker) -> str:
    """Create an SQLite database with all tables for other processes. Return its URL.

    It is a copy of the database of the tests where there is one on SQLite: to migrate takes three seconds.
    """
    path = folder / f"copy-{len(list(folder.iterdir()))}.sqlite3"
    if connection.vendor != "sqlite" or "mode=memory" not in str(connection.settings_dict["NAME"]):
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        return f"sqlite:///{path}"
    with blocker.unblock(), closing(sqlite3.connect(path)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
        copy.execute("DELETE FROM sqlite_sequence")
        copy.commit()
    return f"sqlite:///{path}"


class Child:
    """A Python process that runs `code` after the preamble."""

    def __init__(self, code: str, **variables: str) -> None:
        own = {"DATABASE_URL": url(), "DJANGO_SETTINGS_MODULE": "config.settings", **variables}
        environment = {**os.environ, **own}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + code],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def says(self) -> str:
        """Return the next word at which the process stops; empty if it has ended."""
        assert self.process.stdout is not None
        return str(self.process.stdout.readline()).strip()

    def go_on(self, times: int = 1) -> None:
        """Let the process pass this stop and all later ones."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n" * times)
        self.process.stdin.flush()

    def answer(self, line: str) -> str:
        """Send a line to the process and return the line that it prints."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.says()

    def ends(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the standard error."""
        _, complaint = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, complaint

    def ends_well(self) -> None:
        """Wait for the end, and check that the exit code is 0."""
        code, complaint = self.ends()
        assert code == 0, complaint


@contextmanager
def children(*codes: str, **variables: str) -> Iterator[list[Child]]:
    """Start a process for each code, and end them all with the block. `variables` are added to their environment."""
    started = [Child(code, **variables) for code in codes]
    try:
        yield started
    finally:
        for child in started:
            if child.process.poll() is None:
                child.process.kill()
            child.process.communicate()


def lock_waiters() -> int:
    """Return how many sessions wait for a lock of this database. Has a session of its own: it works in transactions."""
    with psycopg.connect(url(), autocommit=True) as observer:
        waiters = observer.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND backend_type = 'client backend'"
        )
        return int((waiters.fetchone() or [0])[0])


def wait_for_a_lock() -> None:
    """Wait until a process waits for a lock that another one holds in this database."""
    wait_until(lambda: lock_waiters() > 0, "a process waits for a lock")


@contextmanager
def without(table: str, *constraints: str) -> Iterator[None]:
    """Drop constraints or unique indexes of a table for a while, to show what they prevent. Empties the table."""
    dropped = []
    with connection.cursor() as cursor:
        for name in constraints:
            cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
            if constraint := cursor.fetchone():
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
                dropped.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint[0]}")
                continue
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
            [(definition,)] = cursor.fetchall()
            cursor.execute(f"DROP INDEX {name}")
            dropped.append(definition)
    try:
        yield
    finally:
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            for statement in dropped:
                cursor.execute(statement)
