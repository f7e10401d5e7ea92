"""A production installation refuses unsafe settings."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from ruamel.yaml import YAML

from config import checks
from config.checks import require_safe_settings
from tests.runner import ROOT
from tests.support.servers import PRODUCTION


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"} | environment
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=own, capture_output=True, text=True, check=False)


def test_the_documented_environment_passes_the_deploy_check() -> None:
    done = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_the_web_application_refuses_the_published_key() -> None:
    done = python("-c", "import config.wsgi")
    assert done.returncode == 1
    assert "SECRET_KEY is not set" in done.stderr.splitlines()[-1]
    assert python("-c", "import config.wsgi", **PRODUCTION).returncode == 0


def test_the_deploy_check_reports_the_published_key() -> None:
    done = python("manage.py", "check", "--deploy")
    assert done.returncode == 1
    assert "fairground.E001" in done.stderr


@pytest.mark.parametrize("mode", ["DEMO", "DEBUG"])
def test_a_demonstration_and_debug_mode_may_serve_with_the_published_key(settings: Settings, mode: str) -> None:
    settings.SECRET_KEY, settings.DEMO, settings.DEBUG = settings.TRIAL_SECRET_KEY, False, False
    with pytest.raises(ImproperlyConfigured):
        require_safe_settings()
    setattr(settings, mode, True)
    require_safe_settings()


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("x", True),
        ("abcdefghi-" * 4 + "abcdefghi", True),
        ("abcdefghi-" * 5, False),
        ("abcd" * 13, True),
        ("abcde" * 10, False),
    ],
)
def test_a_weak_key_is_refused(settings: Settings, key: str, refused: bool) -> None:
    settings.SECRET_KEY, settings.DEMO, settings.DEBUG = key, False, False
    problem = checks.secret_key()
    if refused:
        with pytest.raises(ImproperlyConfigured, match="too weak"):
            require_safe_settings()
        assert [each.id for each in problem] == ["fairground.E001"]
    else:
        require_safe_settings()
        assert problem == []


def test_debug_mode_is_refused_with_a_database_server() -> None:
    server = {**PRODUCTION, "DEBUG": "1", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    done = python("-c", "import config.wsgi", **server)
    assert done.returncode == 1
    assert "DEBUG=1 shows data" in done.stderr.splitlines()[-1]
    for harmless in ({"DEBUG": "0"}, {"FAIRGROUND_DEMO": "1"}, {"DATABASE_URL": "sqlite:///:memory:"}):
        assert python("-c", "import config.wsgi", **{**server, **harmless}).returncode == 0, harmless


def test_the_deploy_check_reports_https_without_a_proxy() -> None:
    done = python("manage.py", "check", "--deploy", **{**PRODUCTION, "FAIRGROUND_PROXIES": "0"})
    assert "fairground.W002" in done.stderr
    assert "fairground.W002" not in python("manage.py", "check", "--deploy", **PRODUCTION).stderr


def test_the_deploy_check_reports_mail_that_is_printed() -> None:
    done = python("manage.py", "check", "--deploy", **{**PRODUCTION, "EMAIL_URL": "consolemail://"})
    assert "fairground.W003" in done.stderr


def test_containers_have_no_more_rights_than_they_need() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    compose = YAML(typ="safe").load(text)
    services = compose["services"]
    for name, service in services.items():
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert service.get("read_only") or name == "db", name
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "proxy": ["127.0.0.1:${PORT:-8000}:8080"]
    }
    assert compose["networks"]["data"] == {"internal": True}
    reached = {name: sorted(service["networks"]) for name, service in services.items()}
    assert (reached["db"], reached["redis"], reached["proxy"]) == (["data"], ["data"], ["front"])
    assert {name for name, networks in reached.items() if "front" in networks} == {"proxy", "web"}
    assert {name for name, networks in reached.items() if "out" in networks} == {"worker", "webhooks"}
    secrets = ("SECRET_KEY", "POSTGRES_PASSWORD", "SERVING_PASSWORD", "REDIS_PASSWORD", "EMAIL_URL")
    assert all(f"${{{secret}:?" in text and f"${{{secret}:-" not in text for secret in secrets)


def test_commands_need_no_key() -> None:
    assert python("manage.py", "check").returncode == 0
