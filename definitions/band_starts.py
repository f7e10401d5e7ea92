"""Bands that begin at a lower bound: subjects before it are refused by a condition that counts the earlier ones."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.declared_facts import declaring
from core.facts import countable
from definitions.claim_terms import ClaimAt
from definitions.quotas import ALL, MERCHANT, Band
from rules.errors import ErrorCollector
from rules.measure_periods import Over
from rules.measured import Measured
from rules.measures import RowMeasure

if TYPE_CHECKING:
    from definitions.offer_terms import OfferTerms


def check_starts(offer: "OfferTerms", errors: ErrorCollector) -> None:
    """Collect an error at each lower bound that no count of earlier subjects can express."""
    for n, band in enumerate(_bands(offer)):
        with errors.at("quota", n, "from"):
            if band.from_ is not None and (problem := _problem(offer, band)):
                raise ValueError(problem)


def start_conditions(offer: "OfferTerms") -> Iterator[Measured]:
    """Yield the condition of each lower bound: so many subjects of the holder claimed before, in the same part."""
    with declaring(offer.declared.facts):
        for band in _bands(offer):
            if band.from_ is not None and not _problem(offer, band):
                yield _condition(offer, band, band.from_)


def _bands(offer: "OfferTerms") -> tuple[Band, ...]:
    return offer.quota if isinstance(offer.quota, tuple) else ()


def _problem(offer: "OfferTerms", band: Band) -> str:
    """Return why the earlier subjects of a band cannot be counted; empty if they can."""
    rows = offer.plain_collection
    if band.per == ALL or band.per not in (MERCHANT, *rows.holders) or not rows.merchant:
        return _("from counts the subjects of one holder: write per: merchant, for example")
    if rows.name not in countable() or not isinstance(offer.claim, ClaimAt) or not isinstance(offer.claim.at, str):
        return _("from counts the subjects that claim at a fact of their own: these do not")
    return ""


def _condition(offer: "OfferTerms", band: Band, first: int) -> Measured:
    assert isinstance(offer.claim, ClaimAt)
    counted = RowMeasure(
        count=offer.plain_collection.name,
        where=offer.scope,
        by=(band.per,),
        over=Over(period=band.in_, earlier=str(offer.claim.at)),
        code=f"earlier_of_{band.per}",
    )
    return Measured(measure=counted, at_least=Decimal(first - 1))
