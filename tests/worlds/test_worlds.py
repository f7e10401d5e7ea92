"""Some generated worlds in each run of the tests; `python -m tests.worlds` tries many."""

import os

import pytest
from django.db import connection

from tests.worlds import checks, history
from tests.worlds.compare import sqlite_lines
from tests.worlds.gaps import known_gap

FIRST, COUNT = 1003, 4
SEEDS = range(FIRST, FIRST + COUNT * int(os.environ.get("FAIRGROUND_EXAMPLES", "1")))
ONCE = pytest.mark.once(reason="every second world; other worlds are compared on both databases")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[ONCE] if seed % 2 else []) for seed in SEEDS])
def test_every_property_of_a_generated_world_holds(seed: int) -> None:
    world = history.world(seed)
    result = checks.result_of(world)
    if gap := known_gap(result.kind):
        pytest.skip(f"known gap: {gap}")
    assert not result.kind, f"{result.kind}\n{result.text}\n{world.script()}"
    if seed == FIRST:
        assert result.state and result.state["grants"], "the generator makes worlds in which nothing happens"


def test_a_seed_names_one_world() -> None:
    assert history.world(7) == history.world(7)


@pytest.mark.postgresql
def test_sqlite_and_postgresql_decide_alike() -> None:
    first, count = 1007, 1
    expected = sqlite_lines(first, count)
    assert connection.vendor == "postgresql"
    seeds = range(first, first + count)
    assert [checks.line(seed, checks.result_of(history.world(seed))) for seed in seeds] == expected
