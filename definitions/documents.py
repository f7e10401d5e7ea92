"""Documents beside offers: what all kinds of them have in common."""

from typing import ClassVar

from django.utils.translation import gettext as _

from core.facts import Label
from definitions.declared import WithDeclarations
from definitions.offer_terms import MOST_CONDITIONS, Conditions, OfferCode
from rules.base import Names
from rules.errors import ErrorCollector


def check_stated(conditions: Conditions, errors: ErrorCollector) -> None:
    """Collect an error unless a document states conditions, no more than an offer may have, or says `everyone`."""
    with errors.at("conditions"):
        if conditions == ():
            message = _("%(field)s is empty: write %(word)s if that is meant")
            raise ValueError(message % {"field": "conditions", "word": "everyone"})
        if conditions != "everyone" and len(conditions) > MOST_CONDITIONS:
            raise ValueError(_("at most %(most)d conditions") % {"most": MOST_CONDITIONS})


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
