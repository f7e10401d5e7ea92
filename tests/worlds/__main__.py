"""`python -m tests.worlds --seed 1 --count 500`: try worlds, print the seeds of those that fail, and shrink them.

Worlds are tried on the database of DATABASE_URL, in a test database. With `--postgres` SQLite must come out the same.
"""

# ruff: noqa: T201  # a command prints

import argparse
import os
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from tests.worlds.world import World


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.worlds", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    parser.add_argument("--count", type=int, default=100, help="number of worlds, with the seeds that follow")
    parser.add_argument("--shrink", type=float, default=60, help="seconds to shrink a failing world; 0 prints it whole")
    parser.add_argument("--postgres", action="store_true", help="try on PostgreSQL too, and compare the results")
    parser.add_argument("--digests", action="store_true", help="print a digest of each world, to compare databases")
    parser.add_argument("--each", action="store_true", help="shrink every failing world, not only the first of a kind")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if options.postgres:
        os.environ.setdefault("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/worlds")
    django.setup()
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        return _try(options)
    finally:
        runner.teardown_databases(databases)


def _try(options: argparse.Namespace) -> int:
    from tests.worlds import checks, history
    from tests.worlds.compare import sqlite_lines
    from tests.worlds.shrink import shrink

    kinds: Counter[str] = Counter()
    expected = sqlite_lines(options.seed, options.count) if options.postgres else []
    for seed in range(options.seed, options.seed + options.count):
        world = history.world(seed)
        result = checks.result_of(world)
        kind = "aside" if result.aside else result.kind or "good"
        kinds[kind] += 1
        if options.digests:
            print(checks.line(seed, result), flush=True)
            continue
        if expected and (line := checks.line(seed, result)) != expected[seed - options.seed]:
            kinds["databases differ"] += 1
            print(f"world {seed}: PostgreSQL {line}, SQLite {expected[seed - options.seed]}", world.script(), sep="\n")
        if not result.kind:
            continue
        print(f"world {seed}: {kind}\n  {result.text}", flush=True)
        if options.shrink and (options.each or kinds[kind] == 1):
            small = shrink(world, partial(_fails, result.kind), seconds=options.shrink)
            print(small.script(), checks.result_of(small).text, "", sep="\n", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()), file=sys.stderr)
    return 0 if set(kinds) <= {"good", "aside"} else 1


def _fails(kind: str, world: "World") -> bool:
    from tests.worlds import checks

    return checks.result_of(world).kind == kind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
