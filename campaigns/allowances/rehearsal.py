"""Rehearsal: run the queries of an allowance, so that one that cannot be evaluated is refused when published."""

from datetime import datetime

from campaigns.allowances import collecting, holdings, settling
from campaigns.allowances.published import PublishedAllowance, UseGroup
from campaigns.offers.documents import PublishedDocument
from definitions.allowances import AllowanceTerms
from merchants.models import Merchant
from services.models import Usage

MOST_USES = 5


def rehearse(document: PublishedDocument, *, at: datetime) -> None:
    """Run the queries by which the allowance is collected, used and shown. Raises the error of one that fails."""
    terms, version = document.terms, document.row.version
    assert isinstance(terms, AllowanceTerms) and version is not None
    allowance = PublishedAllowance(document.row.pk, version.pk, terms, version.digest)
    merchant = Merchant.objects.order_by("pk").first() or Merchant(code="")
    if terms.collected:
        list(collecting.passing(allowance)(merchants=[merchant.pk], earliest=at, until=at))
    else:
        list(settling.with_allowances(UseGroup(terms.use, (allowance,)), Usage.objects.all())[:MOST_USES])
    holdings.evaluate(merchant, [allowance], at)
