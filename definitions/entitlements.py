"""Entitlements: a flag or a number that a merchant or a buyer has while conditions hold."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, StringConstraints, model_validator

from buyers.facts import BUYERS
from core.facts import Collection, Label
from core.formatting import format_number
from definitions.case_numbers import NumberByCases, NumberOrCases, check_cases, describe_cases
from definitions.checks import check_names_once
from definitions.documents import DocumentTerms, check_stated
from definitions.offer_terms import Conditions
from merchants.facts import MERCHANTS
from rules.conditions import Condition, check_all
from rules.errors import ErrorCollector
from rules.query_row import QueryRow
from rules.sentences import describe

HOLDERS: dict[str, Collection] = {"merchant": MERCHANTS, "buyer": BUYERS}
YES = "yes"


class EntitlementTerms(DocumentTerms):
    """Terms of one entitlement: a flag, or a number where it has a `value`. Without a value by a case it is not had."""

    label: ClassVar[Label] = gettext_lazy("entitlement")

    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
    holder: Literal["merchant", "buyer"]
    conditions: Conditions
    value: NumberOrCases | None = Field(None)

    @model_validator(mode="after")
    def _fits_holder(self) -> Self:
        errors = ErrorCollector()
        check_stated(self.conditions, errors)
        check_names_once(dict(enumerate(condition.name for condition in self.stated)), errors)
        check_all(self.stated, self.row, errors, "conditions")
        if self.value is not None:
            check_cases(self.value, self.row, errors, "value")
        errors.raise_collected("EntitlementTerms")
        return self

    @property
    def stated(self) -> tuple[Condition, ...]:
        """Return the conditions that the definition states."""
        return () if self.conditions == "everyone" else self.conditions

    @cached_property
    def row(self) -> QueryRow:
        """Return the holder as the row in a query."""
        return QueryRow(HOLDERS[self.holder], declared=self.declared.facts)

    def sentences(self) -> list[str]:
        """Return the terms as sentences, in the language in force."""
        return list(self._sentences())

    def _sentences(self) -> Iterator[str]:
        yield _("held by: %(holder)s") % {"holder": HOLDERS[self.holder].singular}
        if isinstance(self.value, NumberByCases):
            for number, when in describe_cases(self.value, self.row):
                words = {"value": format_number(number), "when": when or _("none of these holds")}
                yield _("%(value)s where %(when)s") % words
        elif self.value is not None:
            yield _("value: %(value)s") % {"value": format_number(self.value)}
        for condition in self.stated:
            yield describe(condition, self.row)


def show_value(value: Decimal | None) -> str:
    """Return the value of an entitlement as programs read it: `yes` for a flag, a number with two decimals."""
    return YES if value is None else f"{value:.2f}"
