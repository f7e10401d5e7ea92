"""Comparison of one fact of a row with a value: the condition that all others are made of."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Self

from django.db.models import Q
from django.utils.translation import gettext as _
from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from core.facts import countable
from rules import operators
from rules.base import DefinitionModel, KnownWord, NamedList, WrittenNumber
from rules.errors import ErrorCollector
from rules.offer_facts import BENEFIT
from rules.periods import FirstDays, PeriodOfFact, check_period, period_q
from rules.query_row import QueryRow
from rules.time_windows import CLAIM, BoundOrFact, EndBoundOrFact

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


def _switch(value: object) -> Any:
    return {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value


Switch = Annotated[bool, BeforeValidator(_switch)]
MOST_HOURS = 876_000  # a century: databases and Python disagree about instants far away
MOST_ROWS = 100_000_000
NOTHING_TO_DISCOUNT = "nothing_to_discount"
Amount = Annotated[Decimal, WrittenNumber, Field(ge=0, max_digits=14, decimal_places=2)]
Compared = Annotated[Decimal, WrittenNumber, Field(ge=0, max_digits=16, decimal_places=4)]
"""Number that a fact is compared with; the fact says how many decimals it has."""
WholeNumber = Annotated[int, WrittenNumber]

CountableName = Annotated[str, KnownWord("collection to count", countable)]


class Comparison(DefinitionModel):
    """Comparison of a fact with a value: `{fact: base_freight, at_least: 760.00}`."""

    fact: str
    code: Code | None = None
    is_: str | None = Field(None, alias="is")
    is_not: str | None = None
    in_: NamedList | None = Field(None, alias="in")
    not_in: NamedList | None = None
    in_reference: str | None = None
    not_in_reference: str | None = None
    at_least: Compared | None = None
    more_than: Compared | None = None
    at_most: Compared | None = None
    less_than: Compared | None = None
    within: PeriodOfFact | None = None
    from_: BoundOrFact | None = Field(None, alias="from")
    by: EndBoundOrFact | None = None
    not_before: BoundOrFact | None = None
    within_hours: Annotated[WholeNumber, Field(gt=0, le=MOST_HOURS)] | None = None
    happened: Switch | None = None
    empty: Switch | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        if len(self._given()) != 1:
            given = ", ".join(name.rstrip("_") for name in self._given()) or _("none")
            words = {"fact": self.fact, "given": given}
            raise ValueError(_("say exactly one operator about %(fact)s; given: %(given)s") % words)
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
    def other_fact(self) -> str:
        """Return the instant of the row with which the fact is compared; empty if the definition states the value."""
        if self.not_before == CLAIM:
            return ""
        return next((part for part in (self.from_, self.by, self.not_before) if isinstance(part, str)), "")

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the facts of the row that are compared: the own one, and another on which the value depends."""
        start = self.within.after if isinstance(self.within, FirstDays) else ""
        return tuple(filter(None, (self.fact, self.other_fact, start)))

    @property
    def name(self) -> str:
        if self.code is None and self.fact == BENEFIT and self.more_than == 0:
            return NOTHING_TO_DISCOUNT
        return self.code or self.fact.replace(".", "_")

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if the row has no such fact, or the fact does not accept the operator or the value."""
        errors = ErrorCollector()
        with errors.at("fact"):
            fact = row.fact(self.fact)
            with errors.at(self.operator.word):
                self.operator.check(fact, self.operand)
                if self.other_fact:
                    row.check_instant(self.other_fact, declared=True)
                elif self.within is not None:
                    check_period(self.within, row)
                elif self.not_before == CLAIM and not row.claims:
                    message = _("%(fact)s: there is no claim here to compare with; name an instant")
                    raise ValueError(message % {"fact": self.fact})
        errors.raise_collected("Comparison")

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows that meet the condition."""
        found, fact = row.expression(self.fact), row.fact(self.fact)
        if self.within is not None:
            return period_q(self.within, found, at=row.at, row=row)
        if fact.kind == "instant":
            operand = row.expression(self.other_fact) if self.other_fact else self.operand
            return operators.instant_q(self.operator.name, found, operand, row.at)
        if self.empty is not None:
            return operators.empty_q(fact, found, empty=self.empty)
        return self.operator.q(found, operators.typed_operand(fact, self.operand))

    def observed(self, row: QueryRow) -> Any:
        """Return the expression of the fact."""
        return row.expression(self.fact)


def meet_all(conditions: Iterable[Comparison], row: QueryRow) -> Q:
    """Return the filter of the rows that meet every comparison; without any, of all rows."""
    every = Q()
    for condition in conditions:
        every &= condition.q(row)
    return every
