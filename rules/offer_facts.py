"""Facts of an offer itself, which conditions name like those of a row: its moments, and what its benefit is worth."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.facts import Collection, Fact
from rules.moments import Moment, moment_expression

BENEFIT = "benefit"
OFFER_FACTS = {
    "settlement": Fact("settlement", "instant", _("settlement"), event=pgettext_lazy("event", "settled")),
    "fulfilment": Fact("fulfilment", "instant", _("fulfilment"), event=_("fulfilled")),
    BENEFIT: Fact(BENEFIT, "money", _("benefit")),
}


class Valuation(Protocol):
    """Part of an offer that has a value for each row, such as its benefit."""

    def expression(self, row: Collection) -> Any:
        """Return the value as an expression over a row."""


@dataclass(frozen=True)
class OfferFact:
    """Fact of one offer: its description, and the part of the offer that gives its value."""

    fact: Fact
    source: Moment | Valuation

    def expression(self, row: Collection) -> Any:
        """Return the fact as an expression over a row."""
        return self.source.expression(row) if not isinstance(self.source, str) else moment_expression(self.source, row)
