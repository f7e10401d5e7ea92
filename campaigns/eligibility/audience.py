"""Audience: how many merchants an offer is for, and warnings about quotas that do not fit."""

from collections.abc import Iterator
from datetime import datetime

from campaigns.eligibility import claims
from campaigns.eligibility.merchant_status import depends_on_merchant
from campaigns.offers import schedule
from definitions.offer_terms import OfferTerms
from merchants.facts import MERCHANTS
from merchants.models import Merchant
from rules.conditions import all_of
from rules.query_row import QueryRow


def size(terms: OfferTerms, *, at: datetime) -> int:
    """Return the number of merchants that meet, at `at`, all conditions that concern the merchant alone."""
    row = QueryRow(MERCHANTS, claims=True)
    conditions = tuple(filter(depends_on_merchant, (*terms.scope, *terms.asked)))
    merchants = Merchant.objects.annotate(seen_at=claims.constant(at)).annotate(claimed_at=claims.constant(at))
    return merchants.filter(all_of(conditions, row)).count()


def warnings(offers: tuple[OfferTerms, ...], *, at: datetime) -> Iterator[str]:
    """Yield a warning for each offer without eligible merchants, or with more places than these could take.

    Merchants are counted as of `at`, or of the opening or closing of an offer that is not open then. There are no
    warnings before the first merchant is recorded.
    """
    if not Merchant.objects.exists():
        return
    for terms in offers:
        count, limit = size(terms, at=_inside(terms, at)), terms.quota.limit
        each = 1 if terms.subject == "merchant" else terms.quota.per_merchant
        if count == 0:
            yield f"{terms.code}: conditions: no merchant meets them: an audience of nobody"
        elif limit is not None and each is not None and limit > count * each:
            yield f"{terms.code}: quota: {limit} places, and the {count} merchants there are can take {count * each}"


def _inside(terms: OfferTerms, at: datetime) -> datetime:
    opens, closes = schedule.opens(terms), schedule.closes(terms)
    if opens is not None and at < opens.instant:
        return opens.instant
    return closes.instant if closes is not None and at > closes.instant else at
