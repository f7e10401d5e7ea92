"""Fact files of a small generated marketplace, written once for all tests."""

import csv
from pathlib import Path

import pytest

from standalone.demo_data.generate import write_files

World = dict[str, list[dict[str, str]]]


def read(folder: Path) -> World:
    return {
        path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in folder.glob("*.csv")
    }


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    write_files(folder, merchants=120, seed=2022)
    return read(folder)
