"""Terms of a claim: at a moment of each subject, by a merchant's n-th row, or after a threshold."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

from django.utils.translation import gettext as _
from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator

from core.declared_facts import ReadWith
from core.facts import COLLECTIONS
from rules.base import DefinitionModel, WrittenNumber, form_of
from rules.calendar_periods import Bounds, CalendarPeriod, MonthFrom
from rules.conditions import Comparison, CountableName, WholeNumber, check_all
from rules.errors import ErrorCollector
from rules.moments import Moment
from rules.periods import MICROSECOND, RepeatingPeriod, outline, parts_of
from rules.query_row import QueryRow
from rules.time_windows import Bound, NamedWindow


class ClaimAt(DefinitionModel):
    """Claim of each subject at a moment of its own.

    `each` makes a merchant a subject again in each part of a period, of those that start `during` a window.
    """

    at: Moment
    each: RepeatingPeriod | None = None
    during: NamedWindow | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        errors = ErrorCollector()
        with errors.at("during"):
            if self.during is not None and self.each is None:
                raise ValueError(_("%(word)s belongs to %(parts)s") % {"word": "during", "parts": "each"})
            if self.during is None and isinstance(self.each, CalendarPeriod | MonthFrom):
                raise ValueError(_("%(field)s is missing") % {"field": "during"})
        errors.raise_collected("ClaimAt")
        return self

    @property
    def first(self) -> Bound | None:
        """Return the bound from which parts of `each` start; None where subjects do not recur."""
        window = outline(self.during or self.each)
        return window.from_ if window is not None else None

    @property
    def last(self) -> Bound | None:
        """Return the last bound at which a part of `each` can start; None where subjects do not recur."""
        window = outline(self.during or self.each)
        return window.to if window is not None else None

    def parts(self, until: datetime) -> Iterator[tuple[str, Bounds]]:
        """Yield the key and the bounds of each part that starts by `until`."""
        if self.each is not None and self.first is not None and self.last is not None:
            yield from parts_of(self.each, self.first.instant, min(until, self.last.after - MICROSECOND))


class Nth(DefinitionModel):
    """N-th row that counts, in the order of one of the rows' instants: at that instant the merchant claims."""

    number: Annotated[WholeNumber, Field(ge=1, le=10_000)]
    of: CountableName
    at: str
    where: tuple[Comparison, ...] = Field(min_length=1)
    _read_with: ReadWith = PrivateAttr(default_factory=ReadWith)

    @property
    def row(self) -> QueryRow:
        """Return a row that counts, in a query."""
        return QueryRow(COLLECTIONS[self.of], declared=self._read_with.facts)

    @model_validator(mode="after")
    def _countable(self) -> Self:
        errors = ErrorCollector()
        with errors.at("at"):
            self.row.check_instant(self.at, column=True)
        check_all(self.where, self.row, errors, "where")
        errors.raise_collected("Nth")
        return self


class ClaimNth(DefinitionModel):
    """Claim of a merchant by its n-th row."""

    nth: Nth


class Threshold(DefinitionModel):
    """Sum of the receipts of a merchant's orders; an order first booked after the sum reached `height` can claim."""

    height: Annotated[Decimal, WrittenNumber, Field(gt=0, max_digits=14, decimal_places=2)]
    window: NamedWindow
    where: tuple[Comparison, ...] = Field(min_length=1)


class ClaimOverThreshold(DefinitionModel):
    """Claim of an order after the threshold, at its first booking in the window."""

    over_threshold: Threshold


def _claim_form(value: object) -> str:
    return form_of(value, {"nth": "ClaimNth", "over_threshold": "ClaimOverThreshold", "at": "ClaimAt"}, "ClaimAt")


Claim = Annotated[
    Annotated[ClaimAt, Tag("ClaimAt")]
    | Annotated[ClaimNth, Tag("ClaimNth")]
    | Annotated[ClaimOverThreshold, Tag("ClaimOverThreshold")],
    Discriminator(_claim_form),
]
