"""Some generated worlds in each run of the tests; `python -m tests.worlds` tries many."""

import os

import pytest
from django.db import connection

from tests.worlds import checks, history
from tests.worlds.compare import sqlite_lines
from tests.worlds.gaps import known_gap

FIRST, COUNT = 1001, 5
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


def test_a_seed_names_one_world() -> None:
    assert history.world(7) == history.world(7)


@pytest.mark.once(reason="the generator of worlds")
def test_most_worlds_grant_something() -> None:
    results = [checks.result_of(history.world(seed)) for seed in range(1011, 1015)]
    granted = [result for result in results if result.state and result.state["grants"]]
    assert len(granted) >= 2, "the generator makes worlds in which nothing happens"


@pytest.mark.postgresql
def test_sqlite_and_postgresql_decide_alike() -> None:
    first, count = 1003, 2
    expected = sqlite_lines(first, count)
    assert connection.vendor == "postgresql"
    seeds = range(first, first + count)
    assert [checks.line(seed, checks.result_of(history.world(seed))) for seed in seeds] == expected
