"""Conditions: each written once, read three ways: as a filter, as an explanation, as a sentence.

A condition is asked of a row of a `Collection` as of an instant: facts dated later are not seen
(programs.md, section 7). `Row` says where the row stands in the query and which annotation holds that instant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual
from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from core.facts import COLLECTIONS, STATES, Collection, Fact, MerchantState, countable
from rules import operators
from rules.base import DefinitionModel, KnownWord, NamedList
from rules.moments import Moment, moment_of
from rules.time_windows import Bound, NamedWindow

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


@dataclass(frozen=True)
class Row:
    """A row in a query: its collection, the instant as of which it is seen, the offer's own moments, if it claims."""

    collection: Collection
    at: Any = field(default_factory=lambda: F("seen_at"))
    moments: Mapping[str, Moment] = field(default_factory=dict)
    claims: bool = False

    def fact(self, name: str) -> Any:
        """The expression of a fact, or of one of the offer's moments."""
        if name in self.moments:
            return moment_of(self.moments[name], self.collection)
        return self.collection.expression(name)

    def kind(self, name: str) -> Fact:
        """What is known of a fact: its kind and label. Raises KeyError when there is none of that name."""
        if name in self.moments:
            return operators.MOMENTS[name]
        return self.collection.facts[name]

    def inside(self, collection: Collection) -> "Row":
        """A row of another collection in a subquery of this one, seen as of the same instant."""
        at = OuterRef(str(self.at.name)) if isinstance(self.at, F) else self.at  # type: ignore[attr-defined]  # F has one
        return replace(self, collection=collection, at=at, moments={}, claims=False)


def _switch(value: Any) -> Any:
    return {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value


Switch = Annotated[bool, BeforeValidator(_switch)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]


class Comparison(DefinitionModel):
    """A fact, an operator, a value: `{fact: base_freight, at_least: 760.00}`."""

    fact: str
    code: Code | None = None
    is_: str | None = Field(None, alias="is")
    is_not: str | None = None
    in_: NamedList | None = Field(None, alias="in")
    not_in: NamedList | None = None
    in_reference: str | None = None
    not_in_reference: str | None = None
    at_least: Amount | None = None
    more_than: Amount | None = None
    at_most: Amount | None = None
    less_than: Amount | None = None
    within: NamedWindow | None = None
    from_: Bound | None = Field(None, alias="from")
    by: Bound | None = None
    not_before: Literal["claim"] | Bound | None = None
    within_hours: Annotated[int, Field(gt=0)] | None = None
    happened: Switch | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        if len(self._given()) != 1:
            given = ", ".join(name.rstrip("_") for name in self._given()) or "none"
            raise ValueError(f"say exactly one operator about {self.fact}; given: {given}")
        return self

    def _given(self) -> list[str]:
        return [name for name in operators.OPERATORS if getattr(self, name) is not None]

    @property
    def operator(self) -> "operators.Operator":
        return operators.OPERATORS[self._given()[0]]

    @property
    def operand(self) -> Any:
        return getattr(self, self._given()[0])

    @property
    def name(self) -> str:
        return self.code or self.fact.replace(".", "_")

    def check(self, row: Row) -> None:
        """Raise ValueError where the row has no such fact, or the fact takes no such operator or value."""
        try:
            known = row.kind(self.fact)
        except KeyError:
            names = ", ".join([*row.collection.facts, *row.moments])
            raise ValueError(f"{row.collection.name} have no fact {self.fact!r}; known are: {names}") from None
        self.operator.check(known, self.operand)
        if self.operand == "claim" and not row.claims:
            raise ValueError(f"{self.fact}: there is no claim here to be before of; name an instant")

    def q(self, row: Row) -> Q:
        """True of the rows for which it holds, never NULL in a filter."""
        found = row.fact(self.fact)
        if row.kind(self.fact).kind == "instant":
            return operators.instant_q(self.operator.name, found, self.operand, row.at)
        return self.operator.q(found, operators.typed(row.kind(self.fact), self.operand))

    def found(self, row: Row) -> Any:
        """What the row has, as an expression."""
        return row.fact(self.fact)


StateName = Annotated[str, KnownWord("state", lambda: STATES)]
CountableName = Annotated[str, KnownWord("collection to count", countable)]


class InForce(DefinitionModel):
    """Something of the merchant is, or is not, in force at an instant: the claim unless `at` names a fact."""

    in_force: StateName | None = None
    not_in_force: StateName | None = None
    of: tuple[str, ...] = Field(min_length=1)
    at: str | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        if (self.in_force is None) == (self.not_in_force is None):
            raise ValueError("say either in_force or not_in_force")
        known = [value for value, _ in self.state.choices]
        for value in self.of:
            if value not in known:
                raise ValueError(f"no {self.state.name} {value!r}; known are: {', '.join(known)}")
        return self

    @property
    def state(self) -> MerchantState:
        return STATES[str(self.in_force or self.not_in_force)]

    @property
    def name(self) -> str:
        return self.code or (self.in_force or f"no_{self.not_in_force}")

    def check(self, row: Row) -> None:
        """Raise ValueError where `at` is not an instant of the row."""
        known = row.collection.facts
        if self.at is not None and (self.at not in known or known[self.at].kind != "instant" or known[self.at].derived):
            raise ValueError(f"{row.collection.name} have no instant {self.at!r} of their own")

    def _rows(self, row: Row) -> QuerySet[Model]:
        seen = row.inside(row.collection).at
        at = OuterRef(self.at) if self.at else seen
        return self.state.model._default_manager.filter(
            LessThanOrEqual(at, seen) if self.at else Q(),
            Q(ends_at=None) | Q(ends_at__gt=at),
            merchant_id=OuterRef(row.collection.merchant),
            starts_at__lte=at,
            **{f"{self.state.column}__in": self.of},
        )

    def q(self, row: Row) -> Q:
        """True of the rows whose merchant has it in force (or has not)."""
        there = Exists(self._rows(row))
        return Q(there) if self.in_force else Q(~there)

    def found(self, row: Row) -> Any:
        """One of the values in force, or NULL."""
        return Subquery(self._rows(row).order_by("starts_at").values(self.state.column)[:1])


class Counting(DefinitionModel):
    """How many rows of the merchant meet conditions of their own: at least, or at most, so many."""

    count: CountableName
    where: "tuple[RowCondition, ...]" = Field(min_length=1)
    at_least: Annotated[int, Field(ge=1)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("say either at_least or at_most")
        for condition in self.where:
            condition.check(Row(COLLECTIONS[self.count]))
        return self

    @property
    def name(self) -> str:
        return self.code or self.count

    def check(self, row: Row) -> None:
        """Nothing more to check: its own rows were checked when it was read."""

    def rows(self, row: Row) -> QuerySet[Model]:
        """The merchant's rows that count, seen as of the row's instant."""
        inner = row.inside(COLLECTIONS[self.count])
        of_merchant = {inner.collection.merchant: OuterRef(row.collection.merchant)}
        rows = inner.collection.model._default_manager.filter(**of_merchant)
        return rows.filter(all_of(self.where, inner))

    def q(self, row: Row) -> Q:
        """True of the rows whose merchant has that many."""
        if self.at_most == 0:
            return Q(~Exists(self.rows(row)))
        if self.at_least == 1:
            return Q(Exists(self.rows(row)))
        operator = operators.OPERATORS["at_least" if self.at_least is not None else "at_most"]
        return operator.q(self.found(row), self.at_least if self.at_least is not None else self.at_most)

    def found(self, row: Row) -> Any:
        """The count."""
        return number_of(self.rows(row), merchant=COLLECTIONS[self.count].merchant)


class AnyOf(DefinitionModel):
    """At least one of several conditions holds."""

    any: "tuple[Condition, ...]" = Field(min_length=2)
    code: Code

    @property
    def name(self) -> str:
        return self.code

    def check(self, row: Row) -> None:
        """Raise ValueError where one of the conditions does not fit the row."""
        for condition in self.any:
            condition.check(row)

    def q(self, row: Row) -> Q:
        """True of the rows for which one holds."""
        either = Q()
        for condition in self.any:
            either |= condition.q(row)
        return either

    def found(self, row: Row) -> Any:
        """What the last condition looks at: those before it say for whom it does not matter."""
        return self.any[-1].found(row)


def _form(value: Any) -> str:
    keys = value if isinstance(value, dict) else {name for name, v in value if v is not None}
    for form, word in (("fact", "fact"), ("count", "count"), ("any", "any")):
        if word in keys:
            return form
    return "in_force" if {"in_force", "not_in_force"} & set(keys) else "fact"


Condition = Annotated[
    Annotated[Comparison, Tag("fact")]
    | Annotated[InForce, Tag("in_force")]
    | Annotated[Counting, Tag("count")]
    | Annotated[AnyOf, Tag("any")],
    Discriminator(_form),
]
RowCondition = Comparison
Counting.model_rebuild()
AnyOf.model_rebuild()


def all_of(conditions: tuple[Condition, ...], row: Row) -> Q:
    """True of the rows for which every condition holds; of all rows where there are none."""
    every = Q()
    for condition in conditions:
        every &= condition.q(row)
    return every


def flag(q: Q) -> Case | Value:
    """A condition as a plain yes or no: what is NULL in a filter is no; nothing asked is yes."""
    if not q:
        return Value(True, output_field=BooleanField())
    return Case(When(q, then=Value(True)), default=Value(False), output_field=BooleanField())


def number_of(rows: QuerySet[Model], *, merchant: str) -> Any:
    """Return the number of rows of an outer merchant as an expression; `merchant` is the path to its code."""
    counted = rows.order_by().values(merchant).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
