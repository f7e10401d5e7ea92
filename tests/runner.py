"""`./run test`: run the tests on SQLite, then again on PostgreSQL and Redis where they answer.

The first round uses the embedded default: SQLite and a broker in memory. The second round uses the servers named by
DATABASE_URL and REDIS_URL, else those on the standard local ports, and leaves out tests that run once (see
`tests/conftest.py`). Missing servers and programs are reported at the start and at the end; in CI they are an error.
"""

import os
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

ROOT = Path(__file__).resolve().parent.parent
# Settings of an installation on this machine must not reach the tests.
INSTALLATION_VARIABLES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "PASSWORD_RESET_TIMEOUT", "SITE_URL")
# One name for each checkout, so that two runs on the same server do not drop each other's test databases.
DATABASE = f"fairground_{zlib.crc32(str(ROOT).encode()):08x}"
LOCAL_REDIS = "redis://127.0.0.1:6379/0"


@dataclass(frozen=True)
class Requirement:
    """A server or program that some tests need, and how to add it."""

    name: str
    tests: str
    advice: str


POSTGRESQL = Requirement(
    name="PostgreSQL",
    tests="races, locks, prepared statements, load drill",
    advice="apt-get install postgresql, or set DATABASE_URL to a server whose role may create databases",
)
REDIS = Requirement(
    name="Redis",
    tests="broker and rate limits on a real server",
    advice="apt-get install redis-server, or set REDIS_URL",
)
REDIS_PROGRAM = Requirement(
    name="program redis-server",
    tests="a broker that fails or hangs",
    advice="apt-get install redis-server",
)
NODE = Requirement(
    name="programs node and npm",
    tests="the TypeScript client",
    advice="apt-get install nodejs npm",
)
CHROMIUM = Requirement(
    name="program chromium",
    tests="tests/browser",
    advice="apt-get install chromium",
)


def postgres_candidates() -> list[str]:
    """Return the URLs to try: DATABASE_URL alone if set, else usual local roles."""
    if url := os.environ.get("DATABASE_URL"):
        return [url]
    users = dict.fromkeys(("postgres:postgres", "postgres", os.environ.get("USER", "root"), "root"))
    return [f"postgres://{user}@127.0.0.1:5432/{DATABASE}" for user in users]


def can_make_databases(url: str) -> bool:
    """Return True if the server answers and the role may create databases. The named database need not exist."""
    for name in ("postgres", url.rpartition("/")[2].partition("?")[0]):
        try:
            with psycopg.connect(url, dbname=name, connect_timeout=3) as connection:
                row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
                return bool((row.fetchone() or [False])[0])
        except psycopg.OperationalError:
            continue
    return False


def redis_answers(url: str) -> bool:
    """Return True if the server answers within three seconds."""
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3, retry=None) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def find_servers() -> dict[str, str]:
    """Return the environment of the second round: the URLs of the servers that answer."""
    servers = {}
    if database := next(filter(can_make_databases, postgres_candidates()), ""):
        servers["DATABASE_URL"] = database
    broker = os.environ.get("REDIS_URL") or LOCAL_REDIS
    if redis_answers(broker):
        servers["REDIS_URL"] = broker
    return servers


def find_missing(servers: dict[str, str]) -> list[Requirement]:
    """Return the requirements that this machine does not meet."""
    present = {
        POSTGRESQL: "DATABASE_URL" in servers,
        REDIS: "REDIS_URL" in servers,
        REDIS_PROGRAM: shutil.which("redis-server") is not None,
        CHROMIUM: shutil.which("chromium") is not None,
        NODE: shutil.which("node") is not None and shutil.which("npm") is not None,
    }
    return [requirement for requirement, is_present in present.items() if not is_present]


def run_pytest(environment: dict[str, str], arguments: list[str]) -> int:
    """Run pytest in parallel processes with the servers in `environment`. Return its exit status."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in INSTALLATION_VARIABLES and not name.startswith("FAIRGROUND_")
    }
    # One process more than there are processors: some tests wait for workers, servers or browsers.
    processes = min((os.cpu_count() or 1) + 1, 8)
    command = [sys.executable, "-m", "pytest", "-n", str(processes), *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | environment, check=False).returncode


def without_password(url: str) -> str:
    """Return the URL without user and password."""
    return re.sub(r"//[^@/]*@", "//", url)


def announce(*lines: str) -> None:
    """Print lines between two rules."""
    print("", "=" * 100, *lines, "=" * 100, sep="\n", flush=True)  # noqa: T201


def announce_missing(missing: list[Requirement]) -> None:
    """Say which tests are left out and how to add what they need."""
    lines = [f"  {item.name} (for: {item.tests}). To add it: {item.advice}" for item in missing]
    announce("NOT TESTED: this machine lacks", *lines)


def main(arguments: list[str]) -> int:
    """Run both rounds and return the higher exit status."""
    servers = find_servers()
    missing = find_missing(servers)
    if missing:
        announce_missing(missing)
        if os.environ.get("CI"):
            announce("In CI that is an error.")
            return 1
    announce("First round: SQLite, broker in memory")
    # Tests that need servers or a browser wait for the second round. Without one they are skipped, or run here.
    statuses = [run_pytest({}, [*(["--round=first"] if "DATABASE_URL" in servers else []), *arguments])]
    if servers:
        announce(f"Second round: {', '.join(map(without_password, servers.values()))}")
        statuses.append(run_pytest(servers, ["--round=second", *arguments]))
    if missing:
        announce_missing(missing)
    return max(_without_empty(status) for status in statuses)


def _without_empty(status: int) -> int:
    # 5: nothing collected. A file named on the command line may belong to one round only.
    return 0 if status == 5 else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
