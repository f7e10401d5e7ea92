"""Terms of a scorecard: subjects, series of evaluations, levels, and the rules by which points are given."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from core.facts import COLLECTIONS, MERCHANT, Collection
from definitions.documents import DocumentTerms
from definitions.offer_terms import MOST_CONDITIONS
from definitions.scorecards.parts import MOST_ITEMS, Bound, Part
from definitions.scorecards.series import SeriesTerms
from ratings.models import Series
from rules.base import DefinitionModel, KnownWord, Names
from rules.conditions import Condition, check_all
from rules.errors import ErrorCollector
from rules.measured import check_measure
from rules.measures import Measure, NamedMeasure
from rules.query_row import QueryRow
from rules.time_windows import Bound as InstantBound


def _word_or_list(value: object) -> str:
    return "Word" if isinstance(value, str) else "List"


Which = Annotated[
    Annotated[Literal["all"], Tag("Word")]
    | Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MOST_CONDITIONS), Tag("List")],
    Discriminator(_word_or_list),
]
LevelCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=40)]
HIGHEST_NUMBER = 32_767
MOST_LEVELS = 100
MOST_VERSIONS = 50
MOST_MEASURES = 200
"""Measures of the same rules: each is a query for every batch of subjects."""
MOST_STEPS = 500
"""Items and bands of the same rules: a page tries each of them, and scores all of them each time."""


def rated() -> Mapping[str, Collection]:
    """Return the collections whose rows can be rated: merchants, and rows of merchants that are holders themselves."""
    return {
        name: rows
        for name, rows in COLLECTIONS.items()
        if rows.is_merchants or (rows.merchant and "pk" in rows.holders.values())
    }


class Level(DefinitionModel):
    """Level `from` a number of points on; the lowest one has no bound."""

    level: LevelCode
    from_: Bound | None = Field(None, alias="from")
    names: Names | None = None

    def __str__(self) -> str:
        return str(self.names) if self.names is not None else self.level

    @property
    def number(self) -> int | None:
        """Return the level as a number, None if it is a word."""
        return int(self.level) if self.level.isdigit() and int(self.level) <= HIGHEST_NUMBER else None


class Rules(DefinitionModel):
    """Rules of evaluations `from` an instant on, until the next rules.

    Parts that the rules before have too replace those; the others stay as they are.
    """

    from_: InstantBound | None = Field(None, alias="from")
    parts: tuple[Part, ...] = Field(min_length=1, max_length=MOST_ITEMS)


class SeriesOfScorecard(DefinitionModel):
    """Series of a scorecard: predicted ones show where a subject stands, official ones decide."""

    predicted: SeriesTerms | None = None
    official: SeriesTerms | None = None

    @model_validator(mode="after")
    def _any(self) -> Self:
        if self.predicted is None and self.official is None:
            raise ValueError(_("say predicted, official or both"))
        return self


class ScorecardTerms(DocumentTerms):
    """Terms of one scorecard.

    The score is the `mean` or the `sum` of the points of its parts. The level is the `lowest` level of a part, or that
    of the `score`. `metrics` are further measures that a rating keeps, without points.
    """

    label = gettext_lazy("scorecard")

    subjects: Annotated[str, KnownWord("collection to rate", rated)]
    where: Which
    series: SeriesOfScorecard
    levels: tuple[Level, ...] = Field(min_length=2, max_length=MOST_LEVELS)
    level: Literal["lowest", "score"]
    score: Literal["mean", "sum"]
    metrics: tuple[NamedMeasure, ...] = Field((), max_length=MOST_MEASURES)
    versions: tuple[Rules, ...] = Field(min_length=1, max_length=MOST_VERSIONS)

    @model_validator(mode="after")
    def _fits_subjects(self) -> Self:
        errors = ErrorCollector()
        check_all(self.conditions, self.row, errors, "where")
        self._check_levels(errors)
        for n, measure in enumerate(self.metrics):
            with errors.at("metrics", n):
                check_measure(measure, self.row)
        levels = [level.level for level in self.levels]
        for n, rules in enumerate(self.versions):
            for k, part in enumerate(rules.parts):
                part.check(self.row, levels, errors, "versions", n, "parts", k)
        self._check_versions(errors)
        errors.raise_collected("ScorecardTerms")
        return self

    def _check_levels(self, errors: ErrorCollector) -> None:
        for n, level in enumerate(self.levels):
            with errors.at("levels", n):
                if (level.from_ is None) != (n == 0):
                    raise ValueError(_("the first level has no from, and every other one has"))
                if n > 1 and (level.from_ or 0) <= (self.levels[n - 1].from_ or 0):
                    raise ValueError(_("the levels are in rising order"))
                if level.level in [other.level for other in self.levels[:n]]:
                    raise ValueError(_("two levels are called %(level)s") % {"level": level.level})

    def _check_versions(self, errors: ErrorCollector) -> None:
        for n, rules in enumerate(self.versions):
            before = self.versions[n - 1] if n else None
            with errors.at("versions", n, "from"):
                if (rules.from_ is None) != (before is None):
                    raise ValueError(_("the first rules have no from, and all others have"))
                if before and before.from_ and rules.from_ and rules.from_.instant <= before.from_.instant:
                    raise ValueError(_("the rules are in order of time"))
            codes = [part.name for part in rules.parts]
            for k, code in enumerate(codes):
                with errors.at("versions", n, "parts", k, "code"):
                    if code in codes[:k]:
                        raise ValueError(_("two parts are called %(code)s") % {"code": code})
            with errors.at("versions", n, "parts"):
                self._check_size(n)
                self._check_metrics(n)

    def _check_size(self, n: int) -> None:
        """Raise ValueError if the rules have too many items and bands in all."""
        items = [item for part in self.parts_of(n) for item in part.walk()]
        if len(items) + sum(len(item.bands) for item in items) > MOST_STEPS:
            raise ValueError(_("at most %(most)d items and bands in all") % {"most": MOST_STEPS})

    def _check_metrics(self, n: int) -> None:
        """Raise ValueError if two measures of the same rules share a name: the explanation names them by it."""
        seen: dict[str, Measure] = {}
        for measure in (*self.metrics, *(one for part in self.parts_of(n) for one in part.measures())):
            if seen.setdefault(measure.name, measure) != measure:
                words = {"code": measure.name}
                raise ValueError(_("two measures are called %(code)s: give one of them a code") % words)
        if len(seen) > MOST_MEASURES:
            raise ValueError(_("at most %(most)d measures") % {"most": MOST_MEASURES})

    @cached_property
    def collection(self) -> Collection:
        """Return the collection whose rows are rated."""
        return COLLECTIONS[self.subjects].with_declared(self.declared.facts)

    @cached_property
    def row(self) -> QueryRow:
        """Return a subject in a query, evaluated as of `seen_at`."""
        return QueryRow(self.collection, declared=self.declared.facts)

    @property
    def holder(self) -> str:
        """Return the word by which measures and conditions name a subject: merchant or listing."""
        if self.collection.is_merchants:
            return MERCHANT
        return next(name for name, path in self.collection.holders.items() if path == "pk")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions on subjects."""
        return () if isinstance(self.where, str) else self.where

    @property
    def by_series(self) -> dict[str, SeriesTerms]:
        """Return the series that the scorecard has, by name: official ones first."""
        found = {Series.OFFICIAL: self.series.official, Series.PREDICTED: self.series.predicted}
        return {str(name): terms for name, terms in found.items() if terms is not None}

    def rules_number(self, at: datetime) -> int:
        """Return the position of the rules for evaluations at an instant."""
        later = (n for n, rules in enumerate(self.versions) if rules.from_ is not None and rules.from_.instant <= at)
        return max(later, default=0)

    def parts_of(self, number: int) -> tuple[Part, ...]:
        """Return the parts by the rules at a position, in the order in which they were first named."""
        parts: dict[str, Part] = {}
        for rules in self.versions[: number + 1]:
            parts |= {part.name: part for part in rules.parts}
        return tuple(parts.values())

    def sentences(self) -> list[str]:
        """Return the terms as sentences in the language in force."""
        from definitions.scorecards.sentences import describe  # noqa: PLC0415  sentences read the terms

        return describe(self)
