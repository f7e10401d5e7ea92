"""Allowances: units of a use that a merchant may spend in each part of a period."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from core.facts import MERCHANT, Label
from core.formatting import format_number
from definitions.band_sentences import describe_each
from definitions.barring import barring_conditions, with_free_code
from definitions.case_numbers import NumberByCases, NumberOrCases, check_cases, describe_cases, numbers_of
from definitions.checks import check_names_once
from definitions.documents import DocumentTerms, check_stated
from definitions.offer_terms import Conditions
from merchants.facts import MERCHANTS
from rules.comparisons import Code, Switch
from rules.conditions import Condition, check_all
from rules.errors import ErrorCollector
from rules.periods import RecurringPeriod
from rules.query_row import QueryRow
from rules.sentences import describe
from services.facts import CLAIM_REQUESTS, USAGES

MOST_UNITS = 100_000_000
BUYER = "buyer"


class AllowanceTerms(DocumentTerms):
    """Terms of one allowance.

    One that is `collected` is had by the merchant's first claim request of a period that names its code and meets the
    conditions, as of the request. Any other is had, without a request, at each instant at which the conditions hold.
    `cost_per` says what takes units: each of the `quantity` of a use, or each different `buyer` of a period.
    """

    label: ClassVar[Label] = gettext_lazy("allowance")

    use: Code
    in_: RecurringPeriod = Field(alias="in")
    collected: Switch = False
    conditions: Conditions
    units: NumberOrCases
    cost_per: Literal["quantity", "buyer"] = "quantity"

    @model_validator(mode="after")
    def _fits_rows(self) -> Self:
        errors = ErrorCollector()
        check_stated(self.conditions, errors)
        check_names_once(dict(enumerate(condition.name for condition in self.stated)), errors)
        check_all(self.stated, self.row, errors, "conditions")
        check_cases(self.units, self.row, errors, "units")
        self._check_units(errors)
        errors.raise_collected("AllowanceTerms")
        return self

    def _check_units(self, errors: ErrorCollector) -> None:
        for number, place in numbers_of(self.units):
            with errors.at("units", *place):
                if number % 1 or not 1 <= number <= MOST_UNITS:
                    words = {"found": number, "most": MOST_UNITS}
                    raise ValueError(_("%(found)s is not a whole number of units from 1 to %(most)d") % words)

    @property
    def stated(self) -> tuple[Condition, ...]:
        """Return the conditions that the definition states."""
        return () if self.conditions == "everyone" else self.conditions

    @cached_property
    def asked(self) -> tuple[Condition, ...]:
        """Return every condition: the merchant is in no state that bars it, too."""
        taken = {condition.name for condition in self.stated}
        return (*self.stated, *(with_free_code(condition, taken) for condition in barring_conditions()))

    @cached_property
    def row(self) -> QueryRow:
        """Return the row that the conditions are about: the claim request, or else the merchant."""
        return QueryRow(CLAIM_REQUESTS if self.collected else MERCHANTS, declared=self.declared.facts)

    @cached_property
    def row_of_use(self) -> QueryRow:
        """Return a use as the row in a query: it has the facts of its merchant."""
        return QueryRow(USAGES, declared=self.declared.facts)

    @cached_property
    def row_of_merchant(self) -> QueryRow:
        """Return the merchant as the row in a query."""
        return QueryRow(MERCHANTS, declared=self.declared.facts)

    @cached_property
    def asked_of_merchant(self) -> tuple[Condition, ...]:
        """Return the conditions that can be evaluated without a request: not those on its account."""
        return self.of_merchant(self.asked)

    def of_merchant(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Return those of the conditions that can be evaluated for a merchant alone."""
        return tuple(condition for condition in conditions if _is_of_merchant(condition, self.row_of_merchant))

    @property
    def is_by_buyer(self) -> bool:
        """Return whether each different buyer of a period takes one unit."""
        return self.cost_per == BUYER

    @property
    def source(self) -> str:
        """Return the row at whose instant the conditions are evaluated: the request, or the merchant's use."""
        return CLAIM_REQUESTS.subject if self.collected else MERCHANT

    def sentences(self) -> list[str]:
        """Return the terms as sentences, in the language in force."""
        return list(self._sentences())

    def _sentences(self) -> Iterator[str]:
        yield _("use: %(use)s") % {"use": self.use}
        for number, when in self._units():
            words = {"units": describe_units(int(number)), "when": when}
            yield (_("%(units)s where %(when)s") if when else "%(units)s") % words
        yield describe_each(self.in_)
        if self.is_by_buyer:
            yield _("each different buyer takes one unit; further uses for the same buyer take none")
        if self.collected:
            yield _("collected by a request that names %(code)s") % {"code": self.code}
        else:
            yield _("had without collecting")
        for condition in self.stated:
            yield describe(condition, self.row)

    def _units(self) -> Iterator[tuple[Decimal, str]]:
        if isinstance(self.units, NumberByCases):
            for number, when in describe_cases(self.units, self.row):
                yield number, when or _("none of these holds")
        else:
            yield self.units, ""


def describe_units(number: int) -> str:
    """Return a number of units in words."""
    return ngettext("%(n)s unit", "%(n)s units", number) % {"n": format_number(number)}


def _is_of_merchant(condition: Condition, row: QueryRow) -> bool:
    try:
        condition.check(row)
    except ValueError:
        return False
    return True
