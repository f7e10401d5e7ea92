"""Conditions: each defined once and read as a filter, as an explanation and as a sentence.

A condition is evaluated for a row of a `Collection` as of an instant: a fact dated later has not happened yet. `Row`
holds the position of the row in the query and the expression of that instant.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from django.db.models import (
    Exists,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext as _
from pydantic import Discriminator, Field, Tag, model_validator

from core.facts import COLLECTIONS, STATES, MerchantState
from rules import operators
from rules.base import DefinitionModel, KnownWord, form_of
from rules.comparisons import MOST_ROWS, Amount, Code, Comparison, CountableName, Switch, WholeNumber
from rules.errors import ErrorCollector, UnknownWordError
from rules.measured import Measured
from rules.query_row import QueryRow, row_count
from rules.rated import Rated

__all__ = [
    "Amount", "AnyOf", "Code", "Comparison", "Condition", "CountableName", "Counting", "InForce", "Measured",
    "Rated", "RowCondition", "Switch", "WholeNumber", "all_of", "check_all", "reference_lists",
]  # fmt: skip

StateName = Annotated[str, KnownWord("state", lambda: STATES)]


class InForce(DefinitionModel):
    """State of the merchant that is, or is not, in force at an instant: at the claim unless `at` names a fact."""

    in_force: StateName | None = None
    not_in_force: StateName | None = None
    of: tuple[str, ...] = Field(min_length=1)
    at: str | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        if (self.in_force is None) == (self.not_in_force is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "in_force", "other": "not_in_force"})
        known = [value for value, _label in self.state.choices]
        errors = ErrorCollector()
        for n, value in enumerate(self.of):
            with errors.at("of", n):
                if value not in known:
                    message = _("no %(what)s %(word)r") % {"what": self.state.name, "word": value}
                    raise UnknownWordError(message, word=value, known=known)
        errors.raise_collected("InForce")
        return self

    @property
    def state(self) -> MerchantState:
        return STATES[str(self.in_force or self.not_in_force)]

    @property
    def name(self) -> str:
        return self.code or (self.in_force or f"no_{self.not_in_force}")

    @property
    def is_barring(self) -> bool:
        """Return whether the condition keeps merchants out of every offer. Nobody is told of it while it is met."""
        return self.not_in_force is not None and self.state.bars

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if the row has no merchant, or `at` is not an instant that is a column of it."""
        errors = ErrorCollector()
        with errors.at("in_force" if self.in_force else "not_in_force"):
            check_has_merchant(row)
        with errors.at("at"):
            if self.at is not None:
                row.check_instant(self.at, column=True)
        errors.raise_collected("InForce")

    def _rows(self, row: QueryRow) -> QuerySet[Model]:
        seen = row.inside(row.collection).at
        at = OuterRef(row.collection.column(self.at)) if self.at else seen
        return self.state.model._default_manager.filter(
            LessThanOrEqual(at, seen) if self.at else Q(),
            Q(ends_at=None) | Q(ends_at__gt=at),
            merchant_id=OuterRef(row.collection.merchant),
            starts_at__lte=at,
            **{f"{self.state.column}__in": self.of},
        )

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows whose merchant has the state in force, or has not."""
        there = Exists(self._rows(row))
        return Q(there) if self.in_force else Q(~there)

    def observed(self, row: QueryRow) -> Any:
        """Return the expression of one of the kinds in force, NULL if there is none."""
        return Subquery(self._rows(row).order_by("starts_at").values(self.state.column)[:1])


class Counting(DefinitionModel):
    """Number of the merchant's rows that meet conditions of their own: at least or at most so many."""

    count: CountableName
    where: "tuple[RowCondition, ...]" = Field(min_length=1)
    at_least: Annotated[WholeNumber, Field(ge=1, le=MOST_ROWS)] | None = None
    at_most: Annotated[WholeNumber, Field(ge=0, le=MOST_ROWS)] | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "at_least", "other": "at_most"})
        errors = ErrorCollector()
        check_all(self.where, QueryRow(COLLECTIONS[self.count]), errors, "where")
        errors.raise_collected("Counting")
        return self

    @property
    def name(self) -> str:
        return self.code or self.count

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if the row has no merchant. Conditions on the counted rows are checked on reading."""
        errors = ErrorCollector()
        with errors.at("count"):
            check_has_merchant(row)
        errors.raise_collected("Counting")

    def rows(self, row: QueryRow) -> QuerySet[Model]:
        """Return the merchant's rows that count, evaluated as of the instant of the row."""
        inner = row.inside(COLLECTIONS[self.count])
        of_merchant = {inner.collection.merchant: OuterRef(row.collection.merchant)}
        rows = inner.collection.model._default_manager.filter(**of_merchant)
        return rows.filter(all_of(self.where, inner))

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows whose merchant has that many."""
        if self.at_most == 0:
            return Q(~Exists(self.rows(row)))
        if self.at_least == 1:
            return Q(Exists(self.rows(row)))
        operator = operators.OPERATORS["at_least" if self.at_least is not None else "at_most"]
        return operator.q(self.observed(row), self.at_least if self.at_least is not None else self.at_most)

    def observed(self, row: QueryRow) -> Any:
        """Return the expression of the count."""
        return row_count(self.rows(row), merchant=COLLECTIONS[self.count].merchant)


class AnyOf(DefinitionModel):
    """Alternative: at least one of several conditions holds."""

    any: "tuple[Condition, ...]" = Field(min_length=2)
    code: Code

    @property
    def name(self) -> str:
        return self.code

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if one of the conditions does not fit the row."""
        errors = ErrorCollector()
        check_all(self.any, row, errors, "any")
        errors.raise_collected("AnyOf")

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows that meet one of the conditions."""
        either = Q()
        for condition in self.any:
            either |= condition.q(row)
        return either

    def observed(self, row: QueryRow) -> Any:
        """Return the expression that the last condition looks at: those before it name exceptions."""
        return self.any[-1].observed(row)


def check_has_merchant(row: QueryRow) -> None:
    """Raise ValueError for a row of no merchant, such as a buyer."""
    if not row.collection.merchant:
        message = _("%(rows)s belong to no merchant: compare facts of their own")
        raise ValueError(message % {"rows": row.collection.name})


def _form(value: object) -> str:
    if isinstance(value, dict) and "fact" in value:
        return "Comparison"
    forms = {
        "fact": "Comparison",
        "count": "Counting",
        "measure": "Measured",
        "rating": "Rated",
        "any": "AnyOf",
        "in_force": "InForce",
        "not_in_force": "InForce",
    }
    return form_of(value, {**forms, "of": "InForce", "where": "Counting"}, "Comparison")


# The tags are part of an error's place; no field of a definition starts with a capital letter.
Condition = Annotated[
    Annotated[Comparison, Tag("Comparison")]
    | Annotated[InForce, Tag("InForce")]
    | Annotated[Counting, Tag("Counting")]
    | Annotated[Measured, Tag("Measured")]
    | Annotated[Rated, Tag("Rated")]
    | Annotated[AnyOf, Tag("AnyOf")],
    Discriminator(_form),
]
RowCondition = Comparison
Counting.model_rebuild()
AnyOf.model_rebuild()


def reference_lists(part: object) -> set[str]:
    """Return the reference lists that the comparisons anywhere in a part of a definition name."""
    if isinstance(part, Comparison):
        return {name for name in (part.in_reference, part.not_in_reference) if name is not None}
    if isinstance(part, DefinitionModel):
        return set().union(*(reference_lists(getattr(part, name)) for name in type(part).model_fields))
    return set().union(*map(reference_lists, part)) if isinstance(part, tuple) else set()


def check_all(conditions: Sequence[Condition], row: QueryRow, errors: ErrorCollector, *place: str | int) -> None:
    """Check each condition against the row and collect its errors at `place` and its number."""
    for n, condition in enumerate(conditions):
        with errors.at(*place, n):
            condition.check(row)


def all_of(conditions: tuple[Condition, ...], row: QueryRow) -> Q:
    """Return the filter of the rows that meet every condition; without conditions, of all rows."""
    every = Q()
    for condition in conditions:
        every &= condition.q(row)
    return every
