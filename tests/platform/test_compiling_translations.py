"""Compiling translations: without msgfmt, only if changed, replaced atomically."""

import gettext
import os
from pathlib import Path

import pytest

from core.translations import ROOT, compile_catalogs

PO = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Offer"
msgstr "活动"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = folder / "django.po"
    source.write_text(PO)
    return source


def test_a_catalog_is_compiled_and_read(source: Path, tmp_path: Path) -> None:
    assert compile_catalogs(tmp_path) == [source.with_suffix(".mo")]
    with source.with_suffix(".mo").open("rb") as catalog:
        assert gettext.GNUTranslations(catalog).gettext("Offer") == "活动"
    assert [path.name for path in source.parent.iterdir() if path.suffix not in (".po", ".mo")] == []


def test_only_changed_catalogs_are_compiled_again(source: Path, tmp_path: Path) -> None:
    compile_catalogs(tmp_path)
    assert compile_catalogs(tmp_path) == []
    later = source.with_suffix(".mo").stat().st_mtime + 1
    os.utime(source, (later, later))
    assert compile_catalogs(tmp_path) == [source.with_suffix(".mo")]


def test_the_projects_own_catalogs_are_compiled() -> None:
    compile_catalogs()
    assert all(path.with_suffix(".mo").exists() for path in ROOT.glob("locale/*/LC_MESSAGES/*.po"))
