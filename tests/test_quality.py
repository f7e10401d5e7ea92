"""Lint, format, types, the order of imports, missing migrations: part of the suite, so one command runs everything."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "config standalone api dashboard backoffice campaigns definitions rules trade logistics merchants imports "
    "identity core "
    "fairground_client"
).split()
CHECKS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    # Without a cache: what the Django plugin knows of the models is not part of mypy's key.
    "types": ["-m", "mypy", "--cache-dir", "/dev/null", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"],
    "security": ["-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *ROOMS],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "setup": ["manage.py", "check", "--fail-level", "WARNING"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_quality(check: str) -> None:
    done = subprocess.run([sys.executable, *CHECKS[check]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
