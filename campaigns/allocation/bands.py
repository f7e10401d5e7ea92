"""Bands of a quota in an allocation: limits of grants or money, each counted by holder and period. Pure counting."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from campaigns.models import Decision

Outcome = Decision.Outcome
RANKS = {Outcome.MERCHANT_CAP: 0, Outcome.HOLDER_CAP: 1, Outcome.QUOTA_EXHAUSTED: 2}
"""The order in which bands are asked: those of the merchant, of other holders, of all grants."""
Keys = tuple[str | None, ...]
"""The key of a claim in each band of its offer, in the order of the bands; None where the band does not count it."""
NO_KEYS: Keys = ()


@dataclass(frozen=True, slots=True)
class BandRefusal:
    """Refusal by a band: its number in the quota, and how many units the claim would have gone beyond the limit."""

    outcome: Outcome
    band: int | None = None
    exceeded_by: int | None = None


@dataclass
class AllocatedBand:
    """A band with the units `taken` of each counter: grants, or hundredths of the currency.

    `at_most` is the limit of each counter; None where each has its own in `limits`. `number` is the place of the band
    in the quota as written. `partly`: the last grant gets what is left of the money.
    """

    number: int
    at_most: int | None
    outcome: Outcome = Outcome.QUOTA_EXHAUSTED
    is_amount: bool = False
    partly: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    limits: dict[str, int] = field(default_factory=dict)

    def limit(self, key: str) -> int:
        """Return the limit of a counter in units."""
        return self.limits.get(key, 0) if self.at_most is None else self.at_most

    def units(self, amount: Decimal) -> int:
        """Return the units that a grant of an amount takes."""
        return int(amount * 100) if self.is_amount else 1

    def left(self, key: str) -> int:
        """Return the units that are left; none if more than the limit are taken, as late claims can find."""
        return max(0, self.limit(key) - self.taken[key])

    def excess(self, key: str, benefit: Decimal, amount: Decimal) -> int:
        """Return how many units a grant of `amount` goes beyond the limit; 0 if it fits.

        Of a band given partly, the benefit is counted in whole, and anything that is left is enough.
        """
        units = self.units(benefit if self.partly else amount)
        if self.partly and (self.left(key) or not units):
            return 0
        # Nothing left to take is no excess: a benefit of 0.00 fits into a budget that is used up.
        return max(0, self.taken[key] + units - self.limit(key)) if units else 0


@dataclass
class Bands:
    """The bands of one offer, in the order in which they are asked."""

    ordered: list[AllocatedBand]

    def __init__(self, bands: Sequence[AllocatedBand] = ()) -> None:
        self.ordered = sorted(bands, key=lambda band: (RANKS[band.outcome], band.number))

    def amount(self, keys: Keys, benefit: Decimal) -> Decimal:
        """Return what a grant can be given: the benefit, or what is left of a budget whose last grant is partial."""
        for band in self.ordered:
            key = keys[band.number]
            if band.partly and key is not None:
                benefit = min(benefit, Decimal(band.left(key)) / 100)
        return benefit

    def refusal(self, keys: Keys, benefit: Decimal, amount: Decimal) -> BandRefusal | None:
        """Return the first band that has no room for a grant of `amount`."""
        for band in self.ordered:
            key = keys[band.number]
            if key is not None and (excess := band.excess(key, benefit, amount)):
                return BandRefusal(band.outcome, band.number, excess)
        return None

    def add(self, keys: Keys, amount: Decimal, sign: int = 1) -> None:
        """Count a grant of `amount`; with `sign` -1, its release."""
        for band in self.ordered:
            key = keys[band.number]
            if key is not None:
                band.taken[key] += sign * band.units(amount)
