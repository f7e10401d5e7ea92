"""Comparison of databases: SQLite, in a process of its own, decides worlds whose results are compared line by line."""

import os
import subprocess
import sys

SERVERS = ("DATABASE_URL", "REDIS_URL")


def sqlite_lines(first: int, count: int) -> list[str]:
    """Return one line for each world from seed `first` on, as SQLite decides it. Raises CalledProcessError."""
    command = [sys.executable, "-m", "tests.worlds", "--digests", "--seed", str(first), "--count", str(count)]
    environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout.splitlines()
