"""What every test shares: whatever it did to the database, all invariants hold after it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg.pq
import pytest
from django.conf import settings as configured
from django.db import connection
from pytest_django import Settings

from tests.support import season as seasons
from tests.support.servers import PrivateRedis

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_serialized_rollback"}


@pytest.fixture(autouse=True)
def on_postgresql(request: pytest.FixtureRequest) -> None:
    """Skip, loudly, what means nothing on a database with one writer; `./run test` has it in its second round."""
    if any(request.node.iter_markers("postgresql")) and connection.vendor != "postgresql":
        pytest.skip("NOT TESTED here: needs PostgreSQL, DATABASE_URL names none")


@pytest.fixture(autouse=True)
def no_second_step(settings: Settings) -> None:
    """Who signs in is in, but where a test is about the second step."""
    settings.SECOND_STEP = "nobody"


@pytest.fixture(autouse=True)
def on_redis(request: pytest.FixtureRequest) -> None:
    """Skip, loudly, what means nothing without a Redis."""
    if any(request.node.iter_markers("redis")) and not configured.REDIS_URL:
        pytest.skip("NOT TESTED here: needs Redis, REDIS_URL names none")


@pytest.fixture(autouse=True)
def invariants_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check all invariants after a test that used the database, unless it is marked `plants_violation`."""
    marked = any(request.node.iter_markers("plants_violation"))
    uses_database = any(request.node.iter_markers("django_db")) or DATABASE_FIXTURES & set(request.fixturenames)
    if marked or not uses_database:
        yield
        return
    request.getfixturevalue("db")  # so that this ends before the database is cleaned
    yield
    if not _aborted():
        from campaigns.monitoring import invariants

        broken = invariants.check()
        assert not broken, "\n".join(map(str, broken))


def _aborted() -> bool:
    """Whether the test ended on an error that only a rollback mends: then there is nothing to look at."""
    if connection.needs_rollback:
        return True
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR)


@pytest.fixture(scope="session", autouse=True)
def roles_once(django_db_setup: None) -> None:
    """The groups are made with the tables; making them anew each time these are emptied would cost a minute in all."""
    from django.apps import apps
    from django.db.models.signals import post_migrate

    from backoffice import roles

    post_migrate.disconnect(roles.establish, sender=apps.get_app_config("campaigns"))


@pytest.fixture
def season(db: None) -> seasons.Season:
    """September 2022, taken through in this process: `season(as_of=…)` decides a case's facts up to an instant."""
    return seasons.Season()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    if not shutil.which("redis-server"):
        text = "NOT TESTED: needs the program redis-server"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    server = PrivateRedis(tmp_path)
    yield server
    server.kill()
