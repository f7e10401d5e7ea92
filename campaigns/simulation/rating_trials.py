"""Trials of a scorecard's rules: who rises and who falls where a draft's rules rate the facts as they are.

A trial is a simulation with a `scorecard`. It reads ratings and facts where they are and writes neither.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import DocumentVersion, Draft, Simulation
from campaigns.offers.documents import terms_of
from campaigns.reporting import rating_figures
from campaigns.reporting.rating_figures import Change, Movement
from campaigns.scorecards.inputs import BATCH
from core import spreadsheets
from definitions import parser
from definitions.scorecards import ScorecardTerms
from ratings.models import Evaluation, Rating

MOST_LISTED = 25
"""Subjects of each direction that a result holds for its page; its file has all of them."""
COLUMNS = "scorecard,series,period,subject,merchant_code,level_before,level_after,score_before,score_after".split(",")
Step = Callable[[int], None]


class TrialError(Exception):
    """The rules cannot be tried; the text says why."""


@dataclass
class Sums:
    """Sums of a trial while it runs: moves between levels, and the first subjects that rise, fall, come and go."""

    order: Sequence[str]
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    listed: dict[str, list[Change]] = field(default_factory=dict)

    def add(self, changes: Iterable[Change]) -> None:
        """Count the changes of a batch. Of each direction those stay that move farthest."""
        for change in changes:
            self.moves[change.before.level, change.after.level] += 1
            self.listed.setdefault(self.direction(change), []).append(change)
        for name, some in self.listed.items():
            self.listed[name] = sorted(some, key=self._by_distance)[:MOST_LISTED]

    def direction(self, change: Change) -> str:
        """Return `up`, `down`, `new` or `gone`."""
        if not change.before.level or not change.after.level:
            return "gone" if change.before.level else "new"
        return "up" if self._distance(change) > 0 else "down"

    def _distance(self, change: Change) -> int:
        levels = ["", *self.order]
        return levels.index(change.after.level) - levels.index(change.before.level)

    def _by_distance(self, change: Change) -> tuple[int, str]:
        return -abs(self._distance(change)), change.subject


def request(draft: Draft, scorecard: str, *, series: str, at: datetime, by: str) -> Simulation:
    """Store a trial of the rules that a draft has for a scorecard, against its latest evaluation.

    Raises DefinitionError where the draft has errors, TrialError where there is no such scorecard or evaluation.
    """
    _terms(draft.source, scorecard)
    evaluation = latest_evaluation(scorecard, series)
    if evaluation is None:
        text = _("%(code)s has not been evaluated yet: there are no levels to compare with.")
        raise TrialError(text % {"code": scorecard})
    return Simulation.objects.create(
        draft=draft,
        source=draft.source,
        scorecard=scorecard,
        series=evaluation.series,
        until=evaluation.evaluated_at,
        asked_by=by,
        asked_at=at,
    )


def latest_evaluation(scorecard: str, series: str = "") -> Evaluation | None:
    """Return the latest finished evaluation, of one series if given."""
    rows = Evaluation.objects.filter(scorecard=scorecard, finished=True).order_by("-evaluated_at", "series")
    return (rows.filter(series=series) if series else rows).first()


def run(simulation: Simulation, *, step: Step) -> tuple[dict[str, Any], bytes]:
    """Return the sums of a trial as JSON values, and its file. `step` is called after each batch of subjects."""
    terms = _terms(simulation.source, simulation.scorecard)
    evaluation = Evaluation.objects.get(
        scorecard=simulation.scorecard, series=simulation.series, evaluated_at=simulation.until
    )
    before = rating_figures.distribution(evaluation)
    sums = Sums(_order(terms, before))
    rows = _rows(evaluation, terms, sums, step)
    table = spreadsheets.to_csv(chain([COLUMNS], rows))
    return _result(evaluation, terms, before, sums), table


def steps(simulation: Simulation) -> int:
    """Return about how many batches a trial has."""
    rows = Rating.objects.filter(scorecard=simulation.scorecard, series=simulation.series)
    return rows.filter(evaluated_at=simulation.until).count() // BATCH + 1


def _terms(source: str, scorecard: str) -> ScorecardTerms:
    found = next((terms for terms in parser.read(source).scorecards if terms.code == scorecard), None)
    if found is None:
        raise TrialError(_("The draft has no scorecard %(code)s.") % {"code": scorecard})
    return found


def _order(terms: ScorecardTerms, before: dict[str, int]) -> list[str]:
    """Return the levels, lowest first. Those that the draft leaves out come before all others."""
    kept = [level.level for level in terms.levels]
    return [*(level for level in sorted(before) if level not in kept), *kept]


def _rows(evaluation: Evaluation, terms: ScorecardTerms, sums: Sums, step: Step) -> Iterator[tuple[object, ...]]:
    own = (evaluation.scorecard, evaluation.series, evaluation.period)
    batches = rating_figures.trial(evaluation, terms, rules=len(terms.versions) - 1)
    for n, changes in enumerate(batches, start=1):
        sums.add(changes)
        for one in changes:
            levels = (one.before.level, one.after.level, one.before.score, one.after.score)
            yield (*own, one.subject, one.merchant, *levels)
        step(n)


def _result(evaluation: Evaluation, terms: ScorecardTerms, before: dict[str, int], sums: Sums) -> dict[str, Any]:
    after = Counter(before)
    for (old, new), n in sums.moves.items():
        after[old] -= n
        after[new] += n
    moved = Movement(sums.moves)
    names = {level.level: {"en": str(level), "zh": str(level)} for level in terms.levels}
    names |= {level.level: level.names.model_dump() for level in terms.levels if level.names is not None}
    return {
        "period": evaluation.period,
        "earlier_rules": _by_earlier_rules(evaluation),
        "levels": [[code, before.get(code, 0), after[code]] for code in sums.order],
        "names": names,
        "moves": [[old, new, n] for (old, new), n in sums.moves.most_common()],
        "up": moved.rising(sums.order),
        "down": moved.falling(sums.order),
        "new": sum(n for (old, _new), n in sums.moves.items() if not old),
        "gone": sum(n for (_old, new), n in sums.moves.items() if not new),
        "listed": {name: list(map(_listed, changes)) for name, changes in sums.listed.items()},
    }


def _by_earlier_rules(evaluation: Evaluation) -> bool:
    """Return whether an evaluation rated by other rules than those that are published last."""
    versions = DocumentVersion.objects.select_related("document")
    version = versions.get(document__code=evaluation.scorecard, number=evaluation.version)
    terms = terms_of(version)
    assert isinstance(terms, ScorecardTerms)
    is_latest = terms.rules_number(evaluation.evaluated_at) == len(terms.versions) - 1
    return version.document.version_id != version.pk or not is_latest


def _listed(change: Change) -> list[str | None]:
    scores = (None if one.score is None else str(one.score) for one in (change.before, change.after))
    return [change.subject, change.merchant, change.before.level, change.after.level, *scores]
