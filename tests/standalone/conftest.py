"""Fact files of a small generated marketplace, written once for all tests."""

import pytest

from standalone.demo_data.generate import write_files
from tests.support.fact_files import World, read


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    write_files(folder, merchants=120, seed=2022, season_only=True)
    return read(folder)
