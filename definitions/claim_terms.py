"""Terms of a claim: at a moment of each subject, by a merchant's n-th row, or after a threshold."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator

from core.declared_facts import ReadWith
from core.facts import COLLECTIONS
from rules.base import DefinitionModel, WrittenNumber, form_of
from rules.conditions import Comparison, CountableName, WholeNumber, check_all
from rules.errors import ErrorCollector
from rules.moments import Moment
from rules.query_row import QueryRow
from rules.time_windows import NamedWindow


class ClaimAt(DefinitionModel):
    """Claim of each subject at a moment of its own."""

    at: Moment


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
