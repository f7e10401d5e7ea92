"""`manage.py rating_figures SCORECARD`: distribution of levels, movement, and a trial of changed rules."""

from itertools import chain
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.reporting import rating_figures
from definitions import parser
from definitions.errors import DefinitionError
from definitions.scorecards import ScorecardTerms
from ratings.models import Evaluation, Series


class Command(BaseCommand):
    help = "Show the levels of a scorecard's latest ratings, who moved since the period before, and a trial of rules."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scorecard", metavar="SCORECARD")
        parser.add_argument("--series", choices=Series.values, default=Series.OFFICIAL.value)
        parser.add_argument("--rules", metavar="FILE", help="a definition with changed rules: show who rises and falls")

    def handle(self, *args: object, scorecard: str, series: str, rules: str | None, **options: object) -> None:
        rows = Evaluation.objects.filter(scorecard=scorecard, series=series, finished=True).order_by("-evaluated_at")
        found = list(rows[:2])
        if not found:
            raise CommandError(f"{scorecard} has no finished {series} evaluation")
        latest = found[0]
        self.stdout.write(f"{latest.period}: {_pairs(rating_figures.distribution(latest))}")
        if len(found) > 1:
            moved = rating_figures.movement(found[1], latest).counts
            shown = {f"{old or '-'} to {new or '-'}": n for (old, new), n in sorted(moved.items()) if old != new}
            self.stdout.write(f"since {found[1].period}: {_pairs(shown) or 'nobody moved'}")
        if rules is not None:
            terms = _terms(rules, scorecard)
            batches = rating_figures.trial(latest, terms, rules=terms.rules_number(latest.evaluated_at))
            for change in chain.from_iterable(batches):
                self.stdout.write(f"{change.subject}: {change.before.level or '-'} to {change.after.level or '-'}")


def _pairs(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {n}" for name, n in counts.items())


def _terms(file: str, scorecard: str) -> ScorecardTerms:
    try:
        campaign = parser.read(Path(file).read_text(encoding="utf-8"))
    except (OSError, DefinitionError) as error:
        raise CommandError(str(error)) from error
    found = next((terms for terms in campaign.scorecards if terms.code == scorecard), None)
    if found is None:
        raise CommandError(f"{file} has no scorecard {scorecard}")
    return found
