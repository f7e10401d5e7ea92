"""Generated files are current, and the Python client is a package of its own."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests import generate_clients

pytestmark = pytest.mark.once(reason="files, no database")


def test_files_made_from_the_schema_are_current() -> None:
    """Run `python -m tests.generate_clients` if they are not."""
    old = [str(p) for p, text in generate_clients.generated().items() if p.read_text(encoding="utf-8") != text]
    assert old == []


def test_the_package_is_built_typed_and_needs_nothing_of_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(generate_clients.CLIENTS / "python")], check=True, capture_output=True)
    [wheel] = tmp_path.glob("fairground_client-*.whl")
    names = ZipFile(wheel).namelist()
    assert {"fairground_client/py.typed", "fairground_client/_async/client.py"} <= set(names)
    alone = "import sys; sys.path.insert(0, sys.argv[1]); import fairground_client; print(fairground_client.__file__)"
    isolated = subprocess.run(
        [sys.executable, "-c", f"{alone}; assert not {{'django', 'api', 'urllib3'}} & set(sys.modules)", str(wheel)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(wheel) in isolated.stdout
