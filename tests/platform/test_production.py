"""A production installation refuses unsafe settings (S13)."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config.checks import require_secret_key
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
        require_secret_key()
    setattr(settings, mode, True)
    require_secret_key()


def test_commands_need_no_key() -> None:
    assert python("manage.py", "check").returncode == 0
