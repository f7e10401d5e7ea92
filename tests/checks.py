"""`./run check`: static checks of the whole project. CI, pre-commit and developers run the same list.

Run as `python -m tests.checks [NAME ...]`; without names all checks run. Exit status 1 if one fails.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "config standalone api dashboard backoffice campaigns definitions rules trade logistics services compliance events "
    "recurring ratings buyers catalog merchants imports identity declarations core clients/python/src"
).split()
# mypy's cache does not know when the Django plugin sees changed models, so CI does without.
MYPY_CACHE = "/dev/null" if os.environ.get("CI") else ".mypy_cache"
CHECKS = {
    "types": ["-m", "mypy", "--cache-dir", MYPY_CACHE, "."],
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"],
    "client": "-m build --no-isolation --outdir var/clients clients/python".split(),
    "security": ["-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *PACKAGES],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "django": ["manage.py", "check", "--fail-level", "WARNING"],
}
"""Arguments for Python by name, the slowest first."""


def run_check(name: str) -> bool:
    """Run one check and print its result, with its output if it failed. Return True if it passed."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, *CHECKS[name]], cwd=ROOT, capture_output=True, text=True, check=False)
    passed = done.returncode == 0
    result = f"{name}: {'passed' if passed else 'FAILED'} ({time.monotonic() - started:.0f} s)"
    print(result if passed else f"{result}\n{done.stdout}{done.stderr}", flush=True)  # noqa: T201
    return passed


def main(names: Sequence[str]) -> int:
    """Run the named checks, or all, two at a time. Return the exit status."""
    unknown = set(names) - set(CHECKS)
    if unknown:
        print(f"Unknown check: {', '.join(sorted(unknown))}. Checks: {', '.join(CHECKS)}")  # noqa: T201
        return 2
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run_check, names or CHECKS))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
