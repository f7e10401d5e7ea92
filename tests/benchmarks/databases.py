"""PostgreSQL database of one benchmark, created before and dropped after it, and processes that work on it."""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any

import django
import psutil
import psycopg
from django.core.management import call_command
from django.db import connection

from tests.runner import ROOT, can_make_databases, postgres_candidates


@dataclass(frozen=True)
class Done:
    """Result of a process: its count, its seconds, and its peak memory in megabytes."""

    seconds: float
    megabytes: float
    count: int


def server() -> str:
    """Return the server's URL without a database: that of DATABASE_URL, or the local one."""
    url = next(filter(can_make_databases, postgres_candidates()), "")
    if not url:
        sys.exit("No PostgreSQL answers: set DATABASE_URL to one on which databases may be made.")
    return url.rpartition("/")[0]


@contextmanager
def own(purpose: str) -> Iterator[None]:
    """Create a migrated database for this process and those that `fresh` starts; drop it afterwards."""
    base, name = server(), f"fairground_{purpose}_{os.getpid()}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            os.environ["DATABASE_URL"] = f"{base}/{name}"
            os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
            django.setup()
            connection.settings_dict["NAME"] = name  # the second of one command
            call_command("migrate", verbosity=0)
            yield
        finally:
            connection.close()
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fresh(verb: str, *arguments: str) -> Done:
    """Run a verb of `tests.benchmarks.work` in a new process and watch its resident memory."""
    settle()
    command = [sys.executable, "-m", "tests.benchmarks.work", verb, *arguments]
    with psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        peak = 0
        while child.poll() is None:
            try:
                peak = max(peak, child.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            sleep(0.02)
        output, _ = child.communicate()
    if child.returncode:
        sys.exit(f"{verb} ended {child.returncode}")
    report = json.loads(output.splitlines()[-1])
    return Done(report["seconds"], peak / 1_000_000, report["count"])


def settle() -> None:
    """Flush the disk, so that earlier writes do not slow down the next measurement."""
    execute("CHECKPOINT")


def execute(statement: str, parameters: Any = None) -> int:
    """Run a statement and return the number of rows that it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def value(statement: str, parameters: Any = None) -> Any:
    """Return the only value of a query."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def timed(work: Callable[[], Any]) -> float:
    """Run `work` and return its seconds."""
    settle()
    began = perf_counter()
    work()
    return perf_counter() - began


def options(description: str | None, *, orders: int = 1_000_000, rounds: int = 3) -> Namespace:
    """Return the options that all benchmarks share."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--orders", type=int, default=orders, help="size of the larger measurement")
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each side is measured")
    return parser.parse_args()
