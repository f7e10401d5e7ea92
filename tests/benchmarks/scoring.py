"""A scorecard of the shipped shape over merchants and actions of buyers: against its metrics in one statement by hand.

The statement groups each table once and stores the metrics alone. The evaluation also adds up the points, finds the
levels, and stores a rating of each merchant from which every point can be explained. The next day it is evaluated
again, after one in a hundred actions more.
"""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from tests.benchmarks import facts
from tests.benchmarks.databases import execute, fresh, own, timed, value
from tests.benchmarks.figures import ratio, say, verdict

MERCHANTS, ACTIONS = 100_000, 5_000_000
DAY = timedelta(days=1)
FIRST = datetime(2022, 9, 19, 16, tzinfo=UTC)
"""Midnight of 20 September in Shanghai: the second rules of the scorecard are in force."""
KEPT = ("campaign", "names", "zone", "lists", "attributes", "measures")
SECOND = "2022-09-20 00:00:00"


def scorecard() -> str:
    """Return the scorecard of merchants of the shipped definition, with the predicted series alone, from one day on."""
    from ruamel.yaml import YAML

    from definitions import bundled

    yaml = YAML()
    shipped = yaml.load(bundled.path("marketplace-2022"))
    kept = {word: shipped[word] for word in KEPT}
    [stars] = [one for one in shipped["scorecards"] if one["subjects"] == "merchants"]
    stars["series"] = {"predicted": {"every": "day", "from": SECOND}}
    text = StringIO()
    yaml.dump({**kept, "scorecards": [stars]}, text)
    return text.getvalue()


def fill(scale: float) -> dict[str, Any]:
    """Record merchants with all that is rated, and publish the scorecard. Returns the sizes."""
    from campaigns.offers import publishing
    from definitions import parser

    merchants = max(int(MERCHANTS * scale), 10)
    sizes = {"merchants": merchants, "buyers": max(merchants // 5, 5), "batch": facts.batch(processed=True)}
    for statement in (facts.HERE / "scoring.sql").read_text(encoding="utf-8").split(";\n"):
        execute(statement, sizes)
    act(sizes, first=1, actions=max(int(ACTIONS * scale), 100), since=FIRST - 100 * DAY, until=FIRST)
    execute("VACUUM ANALYZE")
    source = scorecard()
    publishing.publish(parser.read(source), source=source, at=FIRST - DAY, by="benchmark")
    return sizes


def act(sizes: dict[str, Any], *, first: int, actions: int, since: datetime, until: datetime) -> None:
    """Record actions of buyers, spread over the time between two instants."""
    statement = (facts.HERE / "scoring_actions.sql").read_text(encoding="utf-8")
    execute(statement, {**sizes, "first": first, "actions": actions, "since": since, "until": until})


def by_hand(at: datetime) -> None:
    """Store the metrics of all merchants by one statement."""
    statement = (facts.HERE / "scoring_by_hand.sql").read_text(encoding="utf-8")
    execute("DROP TABLE IF EXISTS metrics_by_hand")
    execute(f"CREATE TABLE metrics_by_hand AS {statement}", {"at": at})


def compare() -> None:
    """End with an error unless the latest ratings rest on the metrics that were found by hand."""
    from ratings.models import Rating

    latest = Rating.objects.latest("starts_at").starts_at
    rows = int(value("SELECT count(*) FROM metrics_by_hand"))
    for name in value("SELECT array_agg(DISTINCT k) FROM ratings_rating, jsonb_object_keys(metrics) k"):
        same = value(
            f"SELECT count(*) FROM metrics_by_hand h JOIN ratings_rating r ON r.subject = h.subject "
            f"WHERE r.starts_at = %s AND coalesce(h.{name}, 0) = (r.metrics ->> '{name}')::numeric",
            [latest],
        )
        if same != rows:
            sys.exit(f"{name}: {same} of {rows} merchants have the number that was found by hand")


def main() -> None:
    """Evaluate, in turns with the statement by hand, then again on the next day."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="part of 100,000 merchants and 5,000,000 actions")
    parser.add_argument("--rounds", type=int, default=1, help="how often each side is measured")
    chosen = parser.parse_args()
    with own("scoring"):
        sizes = fill(chosen.scale)
        ours, theirs = [], []
        for _ in range(chosen.rounds):
            execute("TRUNCATE ratings_rating, ratings_evaluation")
            done = fresh("rate", FIRST.isoformat())
            ours.append(done.seconds)
            theirs.append(timed(lambda: by_hand(FIRST)))
        compare()
        result = ratio(ours, theirs)
        say(f"{done.count:,} merchants, {value('SELECT count(*) FROM buyers_buyeraction'):,} actions")
        say(f"  evaluation {ours[-1]:.1f} s, by hand {theirs[-1]:.1f} s")
        verdict("rate against the statement", result, "at least 0.5", held=result >= 0.5)
        verdict("peak memory, MB", done.megabytes, "below 300", held=done.megabytes < 300)
        _next_day(sizes, chosen.scale, ours[-1])


def _next_day(sizes: dict[str, Any], scale: float, first: float) -> None:
    actions = max(int(ACTIONS * scale), 100)
    sizes["batch"] = facts.batch()
    act(sizes, first=actions + 1, actions=actions // 100, since=FIRST, until=FIRST + DAY)
    again = fresh("rate", (FIRST + DAY).isoformat())
    by_hand(FIRST + DAY)
    compare()
    say(f"  next day {again.seconds:.1f} s")
    verdict("next day, part of the first", again.seconds / first, "at most 0.2", held=again.seconds <= first / 5)


if __name__ == "__main__":
    main()
