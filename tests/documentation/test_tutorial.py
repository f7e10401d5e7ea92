"""The tutorial, followed to the letter: every file is written and every command is run as the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)
MANAGE = f"{sys.executable} {ROOT / 'manage.py'}"


def run(command: str, folder: Path) -> str:
    """Run one command of the page in `folder`; returns what it printed. `!` lines of a page expect a failure."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRGROUND_", "DATABASE_URL"))}
    environment = {**own, "DATABASE_URL": f"sqlite:///{folder}/tutorial.sqlite3", "REDIS_URL": ""}
    done = subprocess.run(
        command.replace("python manage.py", MANAGE),
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}"


def follow(block: str, folder: Path) -> list[str]:
    """Run the commands of a console block; returns each expectation that the output did not meet."""
    unmet, output = [], ""
    for line in block.splitlines():
        if line.startswith("$ "):
            output = run(line[2:], folder)
        elif line.startswith("! "):
            if line[2:] not in output or "exit 0" in output:
                unmet.append(f"expected a refusal with {line[2:]!r}:\n{output}")
        elif line not in output:
            unmet.append(f"expected {line!r}:\n{output}")
    return unmet


def test_each_step_of_the_tutorial_gives_the_stated_result(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "writing-a-campaign.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) > 8
    for kind, file, text in blocks:
        if file:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif kind == "console":
            unmet = follow(text, tmp_path)
            assert not unmet, "\n".join(unmet)
