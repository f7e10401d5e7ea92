"""Values of benefits: currencies, amounts, percentages, and numbers that are read from a fact of the subject."""

from decimal import Decimal
from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Discriminator, Field, Tag

from core.facts import Collection, Fact
from core.money import THREE_DECIMALS, currencies, smallest_unit
from rules import operators
from rules.base import DefinitionModel, WrittenNumber
from rules.errors import UnknownWordError
from rules.measures import NamedMeasure

MOST_MONEY = Decimal("999999999999.99")  # the largest amount that a grant can hold


def _known_currency(code: str) -> str:
    """Check an ISO 4217 code of a currency in use whose amounts can be stored."""
    if code not in currencies():
        raise operators.unknown_currency(code)
    if code in THREE_DECIMALS:
        message = _("%(currency)s has three decimals, and amounts are stored with two: no benefit can be in it")
        raise ValueError(message % {"currency": code})
    return code


def check_unit(amount: Decimal, currency: str) -> None:
    """Raise ValueError unless the amount can be paid in the currency."""
    if amount % smallest_unit(currency):
        message = _("%(currency)s has no smaller unit than 1: write a whole amount, not %(amount)s")
        raise ValueError(message % {"currency": currency, "amount": amount})


Currency = Annotated[str, AfterValidator(_known_currency)]
Percent = Annotated[Decimal, WrittenNumber, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
PercentOfPart = Annotated[Decimal, WrittenNumber, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Positive = Annotated[Decimal, WrittenNumber, Field(gt=0, max_digits=14, decimal_places=2)]


class FactValue(DefinitionModel):
    """Number that a fact of the subject's row holds; an empty fact counts as 0."""

    fact: str

    def check(self, rows: Collection) -> Fact:
        """Return the fact. Raises UnknownWordError unless the rows have an amount or a number of that name."""
        known = [fact.name for fact in rows.facts.values() if fact.kind in operators.AMOUNTS]
        if self.fact not in known:
            message = _("%(rows)s have no amount or number %(word)r") % {"rows": rows.name, "word": self.fact}
            raise UnknownWordError(message, word=self.fact, known=known)
        return rows.facts[self.fact]


class MeasureValue(DefinitionModel):
    """Number of the subject's merchant: a measure, by its name or written out in place."""

    measure: NamedMeasure


def _source(value: object) -> str:
    return "Fact" if isinstance(value, dict | FactValue) else "Number"


PercentOrFact = Annotated[Annotated[Percent, Tag("Number")] | Annotated[FactValue, Tag("Fact")], Discriminator(_source)]
AmountOrFact = Annotated[Annotated[Positive, Tag("Number")] | Annotated[FactValue, Tag("Fact")], Discriminator(_source)]
