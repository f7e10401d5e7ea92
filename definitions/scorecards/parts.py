"""Parts of a scorecard: a tree of items that give points, with gates and caps."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from rules import operators
from rules.base import DefinitionModel, Names, WrittenNumber
from rules.comparisons import Code
from rules.conditions import AnyOf, Condition, Measured, Switch, check_all
from rules.errors import ErrorCollector
from rules.measured import check_measure
from rules.measures import Measure, NamedMeasure
from rules.query_row import QueryRow

Points = Annotated[Decimal, WrittenNumber, Field(ge=0, le=1_000_000, decimal_places=2)]
Bound = Annotated[Decimal, WrittenNumber, Field(ge=0, max_digits=16, decimal_places=2)]
Factor = Annotated[Decimal, WrittenNumber, Field(gt=0, le=1_000_000, decimal_places=4)]
FORMS = ("add", "bands", "times", "points")
MOST_ITEMS = 60
MOST_BANDS = 50
MOST_CONDITIONS = 20


class Band(DefinitionModel):
    """Points for a number `from` a bound on, or up `to` one."""

    from_: Bound | None = Field(None, alias="from")
    to: Bound | None = None
    points: Points

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.from_ is None) == (self.to is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "from", "other": "to"})
        return self

    @property
    def bound(self) -> Decimal:
        """Return the bound."""
        return self.from_ if self.from_ is not None else self.to or Decimal(0)

    def holds(self, number: Decimal) -> bool:
        """Return whether a number lies in the band."""
        return number >= self.bound if self.from_ is not None else number <= self.bound


class Part(DefinitionModel):
    """Item that gives points where its conditions in `where` hold, at most `at_most`.

    It adds the points of other items (`add`), gives those of the best band that a number reaches (`bands`), as many as
    the number `times` a factor, or a fixed number of `points`. The number is a `measure` of the subject or a `fact` of
    it. With `at_least_by_level`, fixed points are given where the number reaches the bound for the level of the part
    that contains the item, without this item. `certain` items are in the hands of the merchant alone.
    """

    code: Code | None = None
    names: Names | None = None
    where: tuple[Condition, ...] = Field((), max_length=MOST_CONDITIONS)
    add: "tuple[Part, ...]" = Field((), max_length=MOST_ITEMS)
    measure: NamedMeasure | None = None
    fact: str | None = None
    bands: tuple[Band, ...] = Field((), max_length=MOST_BANDS)
    times: Factor | None = None
    points: Points | None = None
    at_least_by_level: dict[str, Bound] = {}
    at_most: Points | None = None
    certain: Switch = False

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [form for form in FORMS if getattr(self, form) not in ((), None)]
        if len(given) != 1:
            words = {"forms": ", ".join(FORMS), "given": ", ".join(given) or _("none")}
            raise ValueError(_("say exactly one of %(forms)s; given: %(given)s") % words)
        errors = ErrorCollector()
        self._check_number(errors)
        self._check_bands(errors)
        with errors.at("code"):
            if not self.name:
                raise ValueError(_("%(field)s is missing") % {"field": "code"})
        errors.raise_collected("Part")
        return self

    def _check_number(self, errors: ErrorCollector) -> None:
        """Collect an error unless the part has exactly the number that its form needs."""
        numbers = [word for word in ("measure", "fact") if getattr(self, word) is not None]
        needed = bool(self.bands or self.times is not None or self.at_least_by_level)
        with errors.at(numbers[-1] if numbers else "measure"):
            if len(numbers) != needed:
                text = _("say either %(one)s or %(other)s") if needed else _("these points come from no number")
                raise ValueError(text % {"one": "measure", "other": "fact"} if needed else text)
        with errors.at("at_least_by_level"):
            if self.at_least_by_level and self.points is None:
                raise ValueError(_("at_least_by_level belongs to points"))

    def _check_bands(self, errors: ErrorCollector) -> None:
        for n, (one, following) in enumerate(pairwise(self.bands), start=1):
            with errors.at("bands", n):
                if (one.from_ is None) != (following.from_ is None):
                    raise ValueError(_("bands of one part all say from, or all say to"))
                if following.bound <= one.bound:
                    raise ValueError(_("the bands are in rising order of their bounds"))

    @cached_property
    def bounds(self) -> list[Decimal]:
        """Return the bounds of the bands, in rising order."""
        return [band.bound for band in self.bands]

    @cached_property
    def name(self) -> str:
        """Return the code of the part: its own, or that of its measure or fact."""
        return self.code or (self.measure.name if self.measure else (self.fact or "").replace(".", "_"))

    def check(self, row: QueryRow, levels: list[str], errors: ErrorCollector, *place: str | int) -> None:
        """Collect the errors of conditions and numbers that a subject does not have, each at its place."""
        check_all(self.where, row, errors, *place, "where")
        with errors.at(*place, "measure"):
            if self.measure is not None:
                check_measure(self.measure, row)
        with errors.at(*place, "fact"):
            if self.fact is not None and row.fact(self.fact).kind not in operators.AMOUNTS:
                raise ValueError(_("%(fact)s is no number") % {"fact": self.fact})
        with errors.at(*place, "at_least_by_level"):
            if unknown := next((level for level in self.at_least_by_level if level not in levels), None):
                raise ValueError(_("no level %(level)s") % {"level": unknown})
        for n, part in enumerate(self.add):
            part.check(row, levels, errors, *place, "add", n)

    def walk(self) -> "Iterator[Part]":
        """Yield the part and every item in it."""
        yield self
        for part in self.add:
            yield from part.walk()

    def measures(self) -> Iterator[Measure]:
        """Yield the measures that the part and its items, and their conditions, name."""
        for part in self.walk():
            if part.measure is not None:
                yield part.measure
            yield from measures_in(part.where)

    @property
    def most(self) -> Decimal | None:
        """Return the most points that the part can give, None without a limit."""
        own: Any = self.points
        if self.bands:
            own = max(band.points for band in self.bands)
        elif self.add:
            each = [part.most for part in self.add]
            own = None if None in each else sum(filter(None, each), Decimal(0))
        return min((n for n in (own, self.at_most) if n is not None), default=None)


def measures_in(conditions: tuple[Condition, ...]) -> Iterator[Measure]:
    """Yield the measures that conditions compare."""
    for condition in conditions:
        match condition:
            case Measured(measure=measure):
                yield measure
            case AnyOf(any=alternatives):
                yield from measures_in(alternatives)


def plain_conditions(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """Yield the conditions on the subject itself: those that compare no measure, also among alternatives."""
    for condition in conditions:
        match condition:
            case Measured():
                continue
            case AnyOf(any=alternatives):
                yield from plain_conditions(alternatives)
            case _:
                yield condition


Part.model_rebuild()
