"""Condition on a measure."""

from typing import Any, Self

from django.db.models import Q
from django.utils.translation import gettext as _
from pydantic import model_validator

from core.facts import MERCHANT
from rules import operators
from rules.base import DefinitionModel
from rules.comparisons import Amount, Code
from rules.errors import ErrorCollector
from rules.measures import Measure, NamedMeasure, check_holders
from rules.periods import OwnPeriod
from rules.query_row import QueryRow

BOUNDS = ("at_least", "more_than", "at_most", "less_than")


class Measured(DefinitionModel):
    """Condition on a measure: `{measure: on_time_rate, at_least: 90.00}`."""

    measure: NamedMeasure
    at_least: Amount | None = None
    more_than: Amount | None = None
    at_most: Amount | None = None
    less_than: Amount | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if len(self._given()) != 1:
            words = {"fact": self.measure.name, "given": ", ".join(self._given()) or _("none")}
            raise ValueError(_("say exactly one operator about %(fact)s; given: %(given)s") % words)
        errors = ErrorCollector()
        with errors.at(self.operator):
            if self.measure.is_whole and self.bound != int(self.bound):
                words = {"fact": self.measure.name, "found": str(self.bound)}
                raise ValueError(_("%(fact)s is a whole number, not %(found)s") % words)
        errors.raise_collected("Measured")
        return self

    def _given(self) -> list[str]:
        return [word for word in BOUNDS if getattr(self, word) is not None]

    @property
    def operator(self) -> str:
        """Return the operator between the measure and the bound."""
        return self._given()[0]

    @property
    def bound(self) -> Any:
        """Return the number with which the measure is compared."""
        return getattr(self, self.operator)

    @property
    def name(self) -> str:
        return self.code or self.measure.name

    @property
    def is_of_merchant(self) -> bool:
        """Return whether the number is one of the merchant alone: of no other holder, and not before a subject."""
        return not any(
            part.by != (MERCHANT,) or (part.over is not None and part.over.earlier is not None)
            for part in self.measure.rows()
        )

    def check(self, row: QueryRow) -> None:
        """Raise ValidationError if the measure covers rows before the subject and is not one of its own rows."""
        errors = ErrorCollector()
        with errors.at("measure"):
            check_measure(self.measure, row)
        errors.raise_collected("Measured")

    def q(self, row: QueryRow) -> Q:
        """Return the filter of the rows whose merchant's number meets the bound."""
        return operators.OPERATORS[self.operator].q(self.observed(row), self.bound)

    def observed(self, row: QueryRow) -> Any:
        """Return the expression of the number."""
        return self.measure.expression(row)


def check_measure(measure: Measure, row: QueryRow) -> None:
    """Raise ValueError unless a row has the holders of the measure.

    A measure of the rows before a claim must be one of the claiming rows themselves.
    """
    for part in measure.rows():
        check_holders(part.by, row.collection)
        if part.over is not None and isinstance(part.over.period, OwnPeriod) and row.collection.bounds is None:
            words = {"rows": row.collection.name}
            raise ValueError(_("own: %(rows)s are no periods; write subject: merchant_period") % words)
        if part.over is not None and part.over.earlier is not None:
            if not row.collection.path_to(part.collection):
                words = {"rows": part.collection.name, "subject": row.collection.name}
                raise ValueError(
                    _("earlier: measures rows of %(subject)s, or of what they belong to, not %(rows)s") % words
                )
            if not row.claims:
                raise ValueError(_("earlier: there is no claim here to compare with"))
