"""Weights of the values that a measure counts once each."""

from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import Field

from rules.base import DefinitionModel
from rules.comparisons import WholeNumber
from rules.query_row import QueryRow

MOST_TIMES = 1_000_000


class Weight(DefinitionModel):
    """Weight of each different value by a fact of the row that it names: `{by: buyer.level, cases: {0: 10}}`."""

    by: str
    cases: dict[str, Annotated[WholeNumber, Field(ge=0, le=MOST_TIMES)]] = Field(min_length=1)
    otherwise: Annotated[WholeNumber, Field(ge=0, le=MOST_TIMES)] = 0

    def check(self, of: str, row: QueryRow) -> None:
        """Raise ValueError unless `of` is the key of a row to which `row` points, and `by` a fact of that same row."""
        reference, fact = row.collection.reference_of(of), row.fact(self.by)
        key = reference.collection.model._meta.pk if reference else None
        if reference is None or key is None or of != f"{reference.name}.{key.attname}":
            raise ValueError(_("only rows that are pointed to have weights: count buyer.code, for example"))
        if not self.by.startswith(f"{reference.name}.") or fact.kind not in ("number", "choice", "text"):
            words = {"fact": self.by, "row": reference.name}
            raise ValueError(_("%(fact)s is no number or text of the %(row)s that is counted") % words)
        if fact.kind == "number" and not all(case.isdigit() for case in self.cases):
            raise ValueError(_("%(fact)s is a number: its cases are whole numbers") % {"fact": self.by})
