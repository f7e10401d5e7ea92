"""Warnings that need facts: a quota that is larger than its audience, an audience of nobody."""

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
    """How many merchants meet, at `at`, every condition that can be asked of a merchant without an order."""
    row = QueryRow(MERCHANTS, claims=True)
    conditions = tuple(one for one in (*terms.scope, *terms.asked) if depends_on_merchant(one))
    seen = Merchant.objects.annotate(seen_at=claims.constant(at)).annotate(claimed_at=claims.constant(at))
    return seen.filter(all_of(conditions, row)).count()


def doubts(offers: tuple[OfferTerms, ...], *, at: datetime) -> Iterator[str]:
    """One line for each offer that more could have than there are. Nothing where no merchants are known yet.

    Merchants are counted as they are at `at` or, where the offer is not open then, when it opens or closes.
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
