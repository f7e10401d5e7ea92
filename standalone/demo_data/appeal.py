"""Appeal of a merchant's shop to buyers, from 0 to 1: its listings, visits and certificates follow from it.

Shops that sell much tend to be good ones. Ratings are the lowest of several parts: without this, hardly any merchant
would be good in all of them.
"""

from math import log10
from random import Random

from standalone.demo_data.merchant_profiles import SHOWCASE, Profile

USUAL_VOLUME = 5.2
"""Logarithm of the usual trade volume of a merchant in USD, over all seasons."""


def appeal_of(rng: Random, profile: Profile) -> float:
    """Draw the appeal of a merchant's shop."""
    if profile.number <= SHOWCASE:
        return 0.8
    volume = log10(max(profile.ticket * sum(profile.trade), 1))
    return min(max(rng.gauss(0.5 + 0.45 * (volume - USUAL_VOLUME), 0.18), 0), 1)
