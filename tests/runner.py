"""`./run test`: the suite on the embedded default, then again on PostgreSQL and Redis where they answer.

Servers are those of DATABASE_URL and REDIS_URL, else those on the standard local ports. With CI set, a server that
does not answer is an error.
"""

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import psycopg
import redis

from core.translations import compile_catalogs

ROOT = Path(__file__).resolve().parent.parent
# What an installation may have set must not leak into the tests.
OWN_VARIABLES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "PASSWORD_RESET_TIMEOUT", "SITE_URL")
# What does not depend on servers is seen in the first round: it has no database, one of its own, or asks nothing of it
# that other tests do not ask of PostgreSQL.
SEEN = (
    "tests/test_quality.py",
    "tests/test_translations.py",
    "tests/allocation",
    "tests/api/test_access.py",
    "tests/api/test_schema.py",
    "tests/api/test_client.py",
    "tests/api/test_generated.py",
    "tests/definition",
    "tests/dashboard/test_access.py",
    "tests/demonstration",
    "tests/backoffice/test_roles.py",
    "tests/engine/test_drill_embedded.py",
    "tests/engine/test_steps.py",
    "tests/imports/test_cells.py",
    "tests/imports/test_workbooks.py",
    "tests/dashboard/test_noted.py",
    "tests/dashboard/test_passwords.py",
    "tests/platform/test_https.py",
    "tests/platform/test_logs.py",
    "tests/platform/test_metrics.py",
    "tests/platform/test_production.py",
    "tests/platform/test_reliability.py",
    "tests/platform/test_up.py",
    "tests/platform/test_wire.py",
    "tests/rules/test_refused.py",
)
# A name of its own for each checkout, so that two suites on one server do not drop each other's test databases.
DATABASE = f"fairground_{zlib.crc32(str(ROOT).encode()):08x}"


def postgres_candidates() -> list[str]:
    if url := os.environ.get("DATABASE_URL"):
        return [url]
    users = dict.fromkeys(("postgres:postgres", "postgres", os.environ.get("USER", "root"), "root"))
    return [f"postgres://{user}@127.0.0.1:5432/{DATABASE}" for user in users]


def can_make_databases(url: str) -> bool:
    """Whether the server answers and lets us create test databases. The named database itself need not exist."""
    for name in ("postgres", url.rpartition("/")[2].partition("?")[0]):
        try:
            with psycopg.connect(url, dbname=name, connect_timeout=3) as connection:
                row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
                return bool((row.fetchone() or [False])[0])
        except psycopg.OperationalError:
            continue
    return False


def redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3, retry=None) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def servers() -> dict[str, str]:
    """The environment of the second round: those servers that answer."""
    found = {}
    if database := next(filter(can_make_databases, postgres_candidates()), ""):
        found["DATABASE_URL"] = database
    bell = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    if redis_answers(bell):
        found["REDIS_URL"] = bell
    return found


def pytest(environment: dict[str, str], arguments: list[str]) -> int:
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in OWN_VARIABLES and not name.startswith("FAIRGROUND_")
    }
    command = [sys.executable, "-m", "pytest", "-n", "logical", "--maxprocesses", "8", *arguments]
    return subprocess.run(command, cwd=ROOT, env=own | environment, check=False).returncode


def without_password(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//", url)


def announce(text: str) -> None:
    print(f"\n{'=' * 100}\n{text}\n{'=' * 100}", flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    compile_catalogs()
    found = servers()
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if name not in found]
    ci = bool(os.environ.get("CI"))
    if missing and ci:
        announce(f"No server answers for {' and '.join(missing)}; in CI that is an error.")
        return 1
    announce("First round: the embedded default (SQLite, broker in memory)")
    # What needs servers, and what drives a browser, is left to the second round where there is one. Else the one is
    # skipped with a word, and the other done here.
    left = ["-m", "not postgresql and not redis", "--ignore=tests/browser"] if "DATABASE_URL" in found else []
    outcomes = [pytest({}, [*left, *arguments])]
    if found:
        announce(f"Second round: {', '.join(map(without_password, found.values()))}")
        outcomes.append(pytest(found, [*(f"--ignore={path}" for path in SEEN), *arguments]))
    if missing:
        announce(f"NOT TESTED, no server answers for {' and '.join(missing)}. What needs it was skipped.")
    return max(outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
