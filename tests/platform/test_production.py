"""A production installation refuses unsafe settings (S13)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {"SECRET_KEY": "x9" + "kq7-" * 15, "ALLOWED_HOSTS": "fairground.example", "FAIRGROUND_HTTPS": "1"}


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"} | environment
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=own, capture_output=True, text=True, check=False)


def test_S13_the_documented_environment_passes_the_deploy_check() -> None:
    done = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_S13_the_web_application_refuses_the_published_key() -> None:
    done = python("-c", "import config.wsgi")
    assert done.returncode == 1
    assert "SECRET_KEY is not set" in done.stderr.splitlines()[-1]


def test_the_deploy_check_reports_the_published_key() -> None:
    done = python("manage.py", "check", "--deploy")
    assert done.returncode == 1
    assert "fairground.E001" in done.stderr


def test_demonstrations_debug_mode_and_a_private_key_may_serve() -> None:
    for environment in ({"FAIRGROUND_DEMO": "1"}, {"DEBUG": "1"}, PRODUCTION):
        assert python("-c", "import config.wsgi", **environment).returncode == 0


def test_commands_need_no_key() -> None:
    assert python("manage.py", "check").returncode == 0
