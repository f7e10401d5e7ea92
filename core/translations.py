"""Compile translations with Babel, so that msgfmt need not be installed: each `django.po` to a `.mo` beside it.

Run as `python -m core.translations`; `./run`, `./run test` and the image do.
"""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent


def compile_catalogs(root: Path = ROOT) -> list[Path]:
    """Compile the catalogs under `root/locale` and `root/*/locale` that have changed. Return the files written."""
    sources = [*root.glob("locale/*/LC_MESSAGES/*.po"), *root.glob("*/locale/*/LC_MESSAGES/*.po")]
    return [_compile(source) for source in sources if _is_stale(source)]


def _is_stale(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return not target.exists() or target.stat().st_mtime < source.stat().st_mtime


def _compile(source: Path) -> Path:
    target = source.with_suffix(".mo")
    # Written elsewhere and then moved: two test processes may compile at once.
    part = target.with_suffix(f".{os.getpid()}")
    with source.open("rb") as text, part.open("wb") as machine:
        write_mo(machine, read_po(text, locale=source.parts[-3]))
    return part.replace(target)


if __name__ == "__main__":
    compile_catalogs()
