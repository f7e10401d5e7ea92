"""Benefits: a discount on a fee, or a bundle of coupons."""

from decimal import Decimal
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from core.facts import FEES
from core.money import CENT, THREE_DECIMALS, currencies, round_money, round_money_down, smallest_unit
from rules import operators
from rules.base import DefinitionModel, KnownWord, WrittenNumber, form_of
from rules.conditions import Amount, Comparison, WholeNumber
from rules.time_windows import Bound, EndBound

MOST_MONEY = Decimal("999999999999.99")  # the largest amount that a grant can hold


def _known_currency(code: str) -> str:
    """Check an ISO 4217 code of a currency in use whose amounts can be stored."""
    if code not in currencies():
        raise operators.unknown_currency(code)
    if code in THREE_DECIMALS:
        message = _("%(currency)s has three decimals, and amounts are stored with two: no benefit can be in it")
        raise ValueError(message % {"currency": code})
    return code


def check_unit(amount: Decimal, currency: str) -> None:
    """Raise ValueError unless the amount can be paid in the currency."""
    if amount % smallest_unit(currency):
        message = _("%(currency)s has no smaller unit than 1: write a whole amount, not %(amount)s")
        raise ValueError(message % {"currency": currency, "amount": amount})


Currency = Annotated[str, AfterValidator(_known_currency)]
Percent = Annotated[Decimal, WrittenNumber, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
Positive = Annotated[Decimal, WrittenNumber, Field(gt=0, max_digits=14, decimal_places=2)]


FeeName = Annotated[str, KnownWord("fee", lambda: FEES)]


class Reduction(DefinitionModel):
    """Percentage of the fee, or an amount."""

    percent: Percent | None = None
    amount: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "percent", "other": "amount"})
        return self

    def amount_for(self, fee: Decimal) -> Decimal:
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
            raise ValueError(_("say exactly one of percent, amount, tiers"))
        if FEES[self.fee].rated != (self.rate is not None):
            text = _("%(fee)s takes a rate") if FEES[self.fee].rated else _("%(fee)s takes no rate")
            raise ValueError(text % {"fee": self.fee})
        if self.rate is not None and self.tiers:
            raise ValueError(_("a fee that is a rate of an amount takes no tiers"))
        fixed = self.amount is not None or any(tier.amount is not None for tier in self.tiers)
        if fixed and not self.fixed_currency:
            raise ValueError(_("a fixed amount needs a currency"))
        if self.currency and FEES[self.fee].currency not in ("", self.currency):
            words = {"fee": self.fee, "currency": FEES[self.fee].currency, "found": self.currency}
            raise ValueError(_("%(fee)s is in %(currency)s, not %(found)s") % words)
        for amount in (self.amount, *(tier.amount for tier in self.tiers)):
            if amount is not None:
                check_unit(amount, self.fixed_currency)
        return self

    @model_validator(mode="after")
    def _tiers_meet(self) -> Self:
        for lower, upper in zip(self.tiers, self.tiers[1:], strict=False):
            if upper.from_ <= lower.from_:
                words = {"upper": upper.from_, "lower": lower.from_}
                raise ValueError(_("tiers overlap: %(upper)s comes after %(lower)s") % words)
            if lower.below is not None and lower.below != upper.from_:
                gap = _("tiers leave a gap between %(end)s and %(start)s")
                text = gap if lower.below < upper.from_ else _("tiers overlap between %(end)s and %(start)s")
                raise ValueError(text % {"end": lower.below, "start": upper.from_})
        if self.tiers and self.tiers[-1].below is not None:
            raise ValueError(_("the last tier has no upper end: leave out below"))
        return self

    @property
    def fixed_currency(self) -> str:
        """Return the currency that every discount is in; empty where it is that of the row."""
        return self.currency or FEES[self.fee].currency

    def value(self, fee_value: Decimal | None, currency: str = "") -> Decimal:
        """Return the discount for the value `fee_value` of the fee's fact; None counts as 0.00.

        It is rounded to the smallest unit of `currency`, that of the row; empty: that of the discount or of its fee.
        """
        currency = currency or self.fixed_currency
        fee = (fee_value or Decimal(0)) * (self.rate / 100 if self.rate is not None else 1)
        least = FEES[self.fee].least
        # A rated fee is rounded as it is charged; a fee that leaves less than a unit of room is not exceeded.
        room = round_money(fee, currency) if self.rate is not None else round_money_down(fee - least, currency)
        return max(Decimal("0.00"), min(round_money(self._off(fee), currency), room))

    def smallest_value(self, fee_value: Decimal) -> Decimal:
        """Return the smallest discount for any value of the fee's fact from `fee_value` on.

        Between two tiers a discount grows with the fee, so it is smallest at an end.
        """
        ends = (tier.from_ for tier in self.tiers if tier.from_ > fee_value)
        return min(map(self.value, (fee_value, *ends)))

    def _off(self, fee: Decimal) -> Decimal:
        """Return the reduction before rounding and limits: that of the highest tier reached, 0 below the lowest."""
        if not self.tiers:
            return self.amount if self.amount is not None else fee * (self.percent or 0) / 100
        for tier in reversed(self.tiers):
            if tier.from_ <= fee:
                return tier.amount_for(fee)
        return Decimal(0)

    def conditions(self) -> tuple[Comparison, ...]:
        """Return the conditions of the discount itself: its currency, and a fee that reaches the lowest tier."""
        fee = FEES[self.fee]
        asked: list[dict[str, Any]] = []
        if self.currency and fee.currency_fact:
            asked.append({"fact": fee.currency_fact, "is": self.currency})
        if self.tiers and self.tiers[0].from_ > 0:
            asked.append({"fact": fee.fact, "at_least": self.tiers[0].from_})
        return tuple(Comparison.model_validate(condition) for condition in asked)


class Validity(DefinitionModel):
    """Interval in which a coupon can be attached and redeemed."""

    from_: Bound = Field(alias="from")
    to: EndBound


class CouponBundle(DefinitionModel):
    """Coupons for freight orders: count, value, validity, and the orders that they fit."""

    count: Annotated[WholeNumber, Field(ge=1, le=1000)]
    value: Positive
    currency: Currency
    valid: Validity
    where: tuple[Comparison, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _valid_for_a_time(self) -> Self:
        check_unit(self.value, self.currency)
        if self.valid.from_.instant >= self.valid.to.after:
            words = {"end": self.valid.to.at, "start": self.valid.from_.at}
            raise ValueError(_("coupons end at %(end)s before they start at %(start)s") % words)
        return self

    @model_validator(mode="after")
    def _sum_fits(self) -> Self:
        if self.face_value > MOST_MONEY:
            words = {"count": self.count, "value": self.value, "most": MOST_MONEY}
            raise ValueError(_("%(count)s coupons of %(value)s are worth more than %(most)s") % words)
        return self

    @property
    def face_value(self) -> Decimal:
        """Return the value of all coupons together."""
        return self.value * self.count

    def worth(self, base_freight: Decimal) -> Decimal:
        """Return the amount that one coupon takes off an order: its value, or as much as leaves 0.01 to pay."""
        return max(Decimal("0.00"), min(self.value, round_money_down(base_freight - CENT, self.currency)))


class Coupons(DefinitionModel):
    """Benefit made of coupons."""

    coupons: CouponBundle

    @property
    def fixed_currency(self) -> str:
        """Return the currency of the benefit."""
        return self.coupons.currency


def _form(value: object) -> str:
    return form_of(value, {"coupons": "Coupons", "fee": "Discount"}, "Discount")


Benefit = Annotated[
    Annotated[Discount, Tag("Discount")] | Annotated[Coupons, Tag("Coupons")],
    Discriminator(_form),
]
