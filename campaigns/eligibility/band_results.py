"""Results of the bands of a quota: which one refused a claim, by how much, and when its next period begins."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.eligibility import claims
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.requirements import Requirement
from campaigns.models import Decision
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.quota_bands import show_units
from core.formatting import format_short_date
from definitions.band_sentences import describe_band
from definitions.offer_terms import OfferTerms
from definitions.quotas import Band
from rules.calendar_periods import Zoned
from rules.periods import bounds_of

NAME = "quota"
GRANTS = "grants"


def band_result(offer: PublishedOffer, decision: Decision, subject: str) -> ConditionResult:
    """Return the result of the band that refused a claim: what would have been taken with it, and how much too much."""
    assert decision.band is not None
    band = offer.terms.limits.bands[decision.band]
    limit = _stated_limit(offer, band, subject) if band.units is None else band.units
    excess = decision.exceeded_by or 0
    ends = _ends(band, decision.claimed_at)
    margin = (
        _("%(n)s too much") % {"n": show_units(band, excess)} if band.is_amount else _("%(n)d too many") % {"n": excess}
    )
    if ends is not None:
        zone = band.in_.zone if isinstance(band.in_, Zoned) else "UTC"
        words = {"margin": margin, "at": format_short_date(ends, zone, now=decision.claimed_at)}
        margin = _("%(margin)s; again from %(at)s") % words
    return ConditionResult(
        name=NAME,
        required=describe_band(band, offer.terms.collection),
        found=_value(band, limit + excess),
        passed=False,
        asked=Requirement("at_most", _value(band, limit), band.currency or GRANTS),
        shortfall=_value(band, excess),
        margin=margin,
        shown=show_units(band, limit + excess),
    )


def _stated_limit(offer: PublishedOffer, band: Band, subject: str) -> int:
    """Return the limit that a fact of the subject's holder states, in units of the band."""
    rows = claims.rows_with_claims(offer, only=Q(pk=subject))
    stated = rows.annotate(x_limit=offer.terms.row.expression(band.fact)).values_list("x_limit", flat=True).first()
    return band.units_of(stated or 0)


def next_period(terms: OfferTerms, decision: Decision | None) -> datetime | None:
    """Return the instant at which the next period of the band begins that refused a claim, if it has one."""
    if decision is None or decision.band is None:
        return None
    return _ends(terms.limits.bands[decision.band], decision.claimed_at)


def _ends(band: Band, at: datetime) -> datetime | None:
    bounds = bounds_of(band.in_, at) if band.in_ is not None else None
    return bounds[1] if bounds else None


def _value(band: Band, units: int) -> Decimal | int:
    return Decimal(units) / 100 if band.is_amount else units
