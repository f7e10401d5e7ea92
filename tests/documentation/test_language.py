"""Checks on the language of docstrings, comments and documentation, and on imports between tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".venv", ".git", "var", "migrations", "node_modules", "__pycache__"}
QUESTION = re.compile(r"(What|Who|Whoever|Whatever|Whose|Where|Whether|How|When|Why|That|If|Nobody|Nothing)\b")
DOCUMENT = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)\b")
ELSEWHERE = {"CHANGELOG.md", "README.md"}
DOCS_WIDTH = 120


def files(suffix: str) -> list[Path]:
    """Every file of the project with that suffix, without what is generated or installed."""
    found = ROOT.rglob(f"*{suffix}")
    return sorted(path for path in found if not SKIPPED & set(path.relative_to(ROOT).parts))


def docstrings() -> Iterator[tuple[str, str]]:
    """Each docstring with its place, as `path:line`."""
    for path in files(".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", text


def test_docstrings_start_with_a_verb_or_a_noun_phrase() -> None:
    riddles = [f"{place}: {text.splitlines()[0]}" for place, text in docstrings() if QUESTION.match(text)]
    assert not riddles, "\n".join(riddles)


@pytest.mark.parametrize("suffix", [".py", ".md", ".html", ".yaml", ".toml"])
def test_documents_that_are_named_exist(suffix: str) -> None:
    missing = []
    for path in files(suffix):
        for name in set(DOCUMENT.findall(path.read_text(encoding="utf-8"))):
            places = (ROOT / name, path.parent / name, ROOT / "docs" / name)
            if name not in ELSEWHERE and not any(place.exists() for place in places):
                missing.append(f"{path.relative_to(ROOT)} names {name}")
    assert not missing, "\n".join(missing)


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in files(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} links to {target}")
    assert not broken, "\n".join(broken)


def test_prose_fits_the_width() -> None:
    long = []
    for path in files(".md"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > DOCS_WIDTH and not line.lstrip().startswith(("|", "!", "http", "- [", "    ")):
                long.append(f"{path.relative_to(ROOT)}:{number} has {len(line)} characters")
    assert not long, "\n".join(long)


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, relative ones without their dots."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_test_modules_import_no_test_module() -> None:
    """Shared helpers belong to `tests/support`."""
    imports = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for name in imported_modules(path):
            if any(part == "conftest" or part.startswith("test_") for part in name.split(".")):
                imports.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not imports, "\n".join(imports)
