"""Benefits: a discount on a fee, or a bundle of coupons."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from core.facts import FEES
from core.money import CENT, round_to_cents
from rules.base import DefinitionModel, KnownWord
from rules.conditions import Amount, Comparison
from rules.time_windows import Bound

MOST_MONEY = Decimal("999999999999.99")  # the largest amount that a grant can hold
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
Positive = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]


FeeName = Annotated[str, KnownWord("fee", lambda: FEES)]


class Reduction(DefinitionModel):
    """Percentage of the fee, or an amount."""

    percent: Percent | None = None
    amount: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("say either percent or amount")
        return self

    def of(self, fee: Decimal) -> Decimal:
        """Return the reduction before rounding and limits."""
        return self.amount if self.amount is not None else fee * (self.percent or 0) / 100


class Tier(Reduction):
    """Reduction for fees from an amount on, up to the next tier."""

    from_: Amount = Field(alias="from")
    below: Amount | None = None


class Discount(DefinitionModel):
    """Reduction of one fee, rounded half up to the cent and never more than the fee leaves room for."""

    fee: FeeName
    rate: Percent | None = None
    currency: Currency | None = None
    percent: Percent | None = None
    amount: Positive | None = None
    tiers: tuple[Tier, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum((self.percent is not None, self.amount is not None, bool(self.tiers))) != 1:
            raise ValueError("say exactly one of percent, amount, tiers")
        if FEES[self.fee].rated != (self.rate is not None):
            raise ValueError(f"{self.fee} takes {'a' if FEES[self.fee].rated else 'no'} rate")
        if self.rate is not None and self.tiers:
            raise ValueError("a fee that is a rate of an amount takes no tiers")
        fixed = self.amount is not None or any(tier.amount is not None for tier in self.tiers)
        if fixed and not (self.currency or FEES[self.fee].currency):
            raise ValueError("a fixed amount needs a currency")
        if self.currency and FEES[self.fee].currency not in ("", self.currency):
            raise ValueError(f"{self.fee} is in {FEES[self.fee].currency}, not {self.currency}")
        return self

    @model_validator(mode="after")
    def _tiers_meet(self) -> Self:
        for lower, upper in zip(self.tiers, self.tiers[1:], strict=False):
            if upper.from_ <= lower.from_:
                raise ValueError(f"tiers overlap: {upper.from_} comes after {lower.from_}")
            if lower.below is not None and lower.below != upper.from_:
                word = "leave a gap" if lower.below < upper.from_ else "overlap"
                raise ValueError(f"tiers {word} between {lower.below} and {upper.from_}")
        if self.tiers and self.tiers[-1].below is not None:
            raise ValueError("the last tier has no upper end: leave out below")
        return self

    def value(self, found: Decimal | None) -> Decimal:
        """Return the discount for the value `found` of the fee's fact; None counts as 0.00."""
        fee = (found or Decimal(0)) * (self.rate / 100 if self.rate is not None else 1)
        room = round_to_cents(fee - FEES[self.fee].least)
        return max(Decimal("0.00"), min(round_to_cents(self._off(fee)), room))

    def _off(self, fee: Decimal) -> Decimal:
        """Return the reduction before rounding and limits: that of the highest tier reached, 0 below the lowest."""
        if not self.tiers:
            return self.amount if self.amount is not None else fee * (self.percent or 0) / 100
        for tier in reversed(self.tiers):
            if tier.from_ <= fee:
                return tier.of(fee)
        return Decimal(0)

    def conditions(self) -> tuple[Comparison, ...]:
        """Return the conditions of the discount itself: its currency, and a fee that reaches the lowest tier."""
        fee = FEES[self.fee]
        asked: list[dict[str, Any]] = []
        if self.currency and fee.currency_fact:
            asked.append({"fact": fee.currency_fact, "is": self.currency})
        if self.tiers and self.tiers[0].from_ > 0:
            asked.append({"fact": fee.fact, "at_least": self.tiers[0].from_})
        return tuple(Comparison.model_validate(one) for one in asked)


class Validity(DefinitionModel):
    """Interval in which a coupon can be attached and redeemed."""

    from_: Bound = Field(alias="from")
    to: Bound


class CouponBundle(DefinitionModel):
    """Coupons for freight orders: count, value, validity, and the orders that they fit."""

    count: Annotated[int, Field(ge=1, le=1000)]
    value: Positive
    currency: Currency
    valid: Validity
    where: tuple[Comparison, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _valid_for_a_time(self) -> Self:
        if self.valid.from_.instant >= self.valid.to.after:
            raise ValueError(f"coupons end at {self.valid.to.at} before they start at {self.valid.from_.at}")
        return self

    @model_validator(mode="after")
    def _sum_fits(self) -> Self:
        if self.value * self.count > MOST_MONEY:
            raise ValueError(f"{self.count} coupons of {self.value} are worth more than {MOST_MONEY}")
        return self

    def worth(self, base_freight: Decimal) -> Decimal:
        """Return the amount that one coupon takes off an order: its value, or as much as leaves 0.01 to pay."""
        return max(Decimal("0.00"), min(self.value, base_freight - CENT))


class Coupons(DefinitionModel):
    """Benefit made of coupons."""

    coupons: CouponBundle


def _form(value: Any) -> str:
    is_coupons = isinstance(value, Coupons) or (isinstance(value, dict) and "coupons" in value)
    return "Coupons" if is_coupons else "Discount"


Benefit = Annotated[
    Annotated[Discount, Tag("Discount")] | Annotated[Coupons, Tag("Coupons")],
    Discriminator(_form),
]
