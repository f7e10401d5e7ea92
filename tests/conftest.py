"""Fixtures of every test: all invariants hold after a test that used the database. Choice of tests for a round."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg.pq
import pytest
from django.apps import apps
from django.conf import settings as configured
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings
from xdist.scheduler import LoadGroupScheduling

from core.translations import compile_catalogs
from tests.support import guards
from tests.support import season as seasons
from tests.support.servers import PrivateRedis

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_serialized_rollback"}


# The group marks of pytest-xdist have no effect with this pytest.
TOGETHER = ("documentation/test_adding_facts.py", "clients/test_typescript_client.py", "platform/test_up.py")
"""Modules whose tests share what is slow to make: each is run by one process."""


# A time limit for each example would fail on a busy machine.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--round", choices=["first", "second"], help="leave out tests that belong to the other round")


class Scheduling(LoadGroupScheduling):  # type: ignore[misc]  # a library without types
    """Distribution of single tests, and of whole modules that are named in TOGETHER."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module.endswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Return the distribution of tests to processes."""
    return Scheduling(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the translations before the tests, once for all processes."""
    if not hasattr(config, "workerinput"):
        compile_catalogs()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the tests of a round of `./run test`.

    The first leaves out tests that need servers or a browser. The second leaves out tests that run once: those that use
    no database, and those marked `once`, which ask nothing of PostgreSQL that other tests do not.
    """
    if unexplained := [mark for item in items for mark in item.iter_markers("once") if not mark.kwargs.get("reason")]:
        raise pytest.UsageError(f"give a reason for each mark: {unexplained[0]}")
    is_other = {"first": _needs_servers, "second": _runs_once}.get(config.getoption("--round"))
    if is_other is None:
        return
    deselected = [item for item in items if is_other(item)]
    items[:] = [item for item in items if not is_other(item)]
    config.hook.pytest_deselected(items=deselected)


def _needs_servers(item: pytest.Item) -> bool:
    return _is_marked(item, "postgresql", "redis") or "browser_type_launch_args" in _fixtures(item)


def _runs_once(item: pytest.Item) -> bool:
    return not _needs_servers(item) and (_is_marked(item, "once") or not _uses_database(item))


def _uses_database(item: pytest.Item) -> bool:
    return _is_marked(item, "django_db") or bool(DATABASE_FIXTURES & _fixtures(item))


def _is_marked(item: pytest.Item, *names: str) -> bool:
    return any(item.get_closest_marker(name) for name in names)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def english() -> None:
    """Start every test in English: a request of an earlier test leaves its language active in the thread."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def on_postgresql(request: pytest.FixtureRequest) -> None:
    """Skip tests marked `postgresql` on a database with one writer, and say so."""
    if _is_marked(request.node, "postgresql") and connection.vendor != "postgresql":
        pytest.skip("NOT TESTED here: needs PostgreSQL, DATABASE_URL names none")


@pytest.fixture(autouse=True)
def on_redis(request: pytest.FixtureRequest) -> None:
    """Skip tests marked `redis` without a Redis server, and say so."""
    if _is_marked(request.node, "redis") and not configured.REDIS_URL:
        pytest.skip("NOT TESTED here: needs Redis, REDIS_URL names none")


@pytest.fixture(autouse=True)
def quick_sign_in(settings: Settings) -> None:
    """Require two-factor authentication of nobody, so that tests sign in with one request, and hash passwords fast."""
    settings.SECOND_STEP = "nobody"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def invariants_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check all invariants after a test that used the database, unless it is marked `plants_violation`."""
    if _is_marked(request.node, "plants_violation") or not _uses_database(request.node):
        yield
        return
    request.getfixturevalue("db")  # so that this fixture ends before the database is emptied
    yield
    if not _transaction_is_aborted():
        from campaigns.monitoring import invariants

        broken = invariants.check()
        assert not broken, "\n".join(map(str, broken))


def _transaction_is_aborted() -> bool:
    """Return True if the test ended in an error that only a rollback clears; the database answers nothing then."""
    if connection.needs_rollback:
        return True
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR)


@pytest.fixture(scope="session", autouse=True)
def filled_once(django_db_setup: None) -> None:
    """Create content types, permissions and groups with the tables only: no test empties their tables."""
    from backoffice import roles

    post_migrate.disconnect(roles.sync_groups, sender=apps.get_app_config("campaigns"))
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(scope="session", autouse=True)
def fast_commits(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let no commit to the test database of PostgreSQL wait for the disk, in this and in other processes."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit = off')
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def flush_append_only_tables() -> Iterator[None]:
    """Let the tests that commit empty the append-only tables."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        guards.flush_unguarded(monkeypatch)
        yield


@pytest.fixture
def season(db: None) -> seasons.Season:
    """September 2022 in this process: `season(as_of=…)` decides a case's facts up to an instant."""
    return seasons.Season()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    """Start a Redis server for one test, which may freeze and kill it."""
    if not shutil.which("redis-server"):
        text = "NOT TESTED: needs the program redis-server"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    server = PrivateRedis(tmp_path)
    yield server
    server.kill()
