"""Health checks of the web process."""

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_live_without_a_database() -> None:
    answer = Client().get("/health/live")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_ready_with_all_migrations() -> None:
    assert Client().get("/health/ready").status_code == 200
    assert Client().post("/health/ready").status_code == 405


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'campaigns' AND name ="
            " (SELECT max(name) FROM django_migrations WHERE app = 'campaigns')"
        )
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"migrations are missing\n")


@pytest.mark.django_db
def test_not_ready_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_arguments: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("config.health_views.MigrationExecutor", down)
    assert Client().get("/health/ready").status_code == 503
