"""Facts of an offer itself, which conditions name like those of a row: its moments, and what its benefit is worth."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.facts import Fact
from rules.base import DefinitionModel
from rules.moments import Moment, moment_expression

if TYPE_CHECKING:
    from rules.query_row import QueryRow

BENEFIT = "benefit"
OFFER_FACTS = {
    "settlement": Fact("settlement", "instant", _("settlement"), event=pgettext_lazy("event", "settled")),
    "fulfilment": Fact("fulfilment", "instant", _("fulfilment"), event=_("fulfilled")),
    BENEFIT: Fact(BENEFIT, "money", _("benefit")),
}


class Valuation(Protocol):
    """Part of an offer that has a value for each row, such as its benefit."""

    def expression(self, row: "QueryRow") -> Any:
        """Return the value as an expression over a row."""


@dataclass(frozen=True)
class OfferFact:
    """Fact of one offer: its description, and the part of the offer that gives its value."""

    fact: Fact
    source: Moment | Valuation

    def expression(self, row: "QueryRow") -> Any:
        """Return the fact as an expression over a row."""
        if isinstance(self.source, str | DefinitionModel):
            return moment_expression(self.source, row.collection)
        return self.source.expression(row)
