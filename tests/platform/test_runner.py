"""`./run test`: rounds, and requirements that the machine does not meet."""

import shutil

import pytest

from tests import runner

SERVERS = {"DATABASE_URL": "postgres://a:secret@h:5432/d", "REDIS_URL": "redis://h:6379/0"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the arguments of each round instead of running pytest."""
    recorded: list[list[str]] = []

    def record(_servers: dict[str, str], arguments: list[str]) -> int:
        recorded.append(arguments)
        return 0

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(runner, "run_pytest", record)
    monkeypatch.setattr(runner, "find_servers", lambda: SERVERS)
    monkeypatch.setattr(shutil, "which", lambda program: program)
    return recorded


def test_two_rounds_with_servers(calls: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["-k", "x"]) == 0
    assert calls == [["--round=first", "-k", "x"], ["--round=second", "-k", "x"]]
    printed = capsys.readouterr().out
    assert "NOT TESTED" not in printed
    assert "secret" not in printed


def test_missing_requirements_are_named_at_the_start_and_at_the_end(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "find_servers", dict)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert runner.main([]) == 0
    assert calls == [[]]
    start, _, end = capsys.readouterr().out.partition("First round")
    for name in ("PostgreSQL", "Redis", "redis-server", "chromium"):
        assert name in start
        assert name in end


def test_a_missing_requirement_is_an_error_in_ci(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "chromium" else program)
    assert runner.main([]) == 1
    assert calls == []


@pytest.mark.parametrize(("statuses", "status"), [([0, 5], 0), ([1, 0], 1), ([5, 2], 2)])
def test_a_round_without_tests_is_no_failure(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, statuses: list[int], status: int
) -> None:
    monkeypatch.setattr(runner, "run_pytest", lambda _servers, _arguments: statuses.pop(0))
    assert runner.main([]) == status
