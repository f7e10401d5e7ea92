"""Documents beside offers: what all kinds of them have in common."""

from typing import ClassVar

from core.facts import Label
from definitions.declared import WithDeclarations
from definitions.offer_terms import OfferCode
from rules.base import Names


class DocumentTerms(WithDeclarations):
    """Terms of one document of a campaign.

    A kind of document is a subclass with its words, and a field of `CampaignDefinition` that holds a tuple of it: the
    name of that field is the kind. `label` is the kind in words, as in "scorecard".
    """

    label: ClassVar[Label]

    code: OfferCode
    names: Names

    def sentences(self) -> list[str]:
        """Return the terms as sentences in the language in force: reviewers compare versions by them."""
        raise NotImplementedError
