"""Bundles of coupons."""

from decimal import Decimal
from typing import Annotated, Self

from django.utils.translation import gettext as _
from pydantic import Field, PrivateAttr, model_validator

from core.declared_facts import ReadWith
from core.facts import COUPON_FEES, Fee
from core.money import round_money_down
from definitions.benefits.values import MOST_MONEY, Currency, Positive, check_unit
from logistics.facts import FREIGHT_ORDERS
from rules.base import DefinitionModel, KnownWord
from rules.conditions import Amount, Comparison, WholeNumber
from rules.query_row import QueryRow
from rules.time_windows import Bound, EndBound

DEFAULT_ORDERS = FREIGHT_ORDERS.subject
OrderKind = Annotated[str, KnownWord("kind of order", lambda: COUPON_FEES)]


class Validity(DefinitionModel):
    """Interval in which a coupon can be attached and redeemed; without a beginning it begins when it is issued."""

    from_: Bound | None = Field(None, alias="from")
    to: EndBound


class CouponBundle(DefinitionModel):
    """Coupons for orders of one kind: count, value or price, validity, and the orders that they fit.

    A coupon takes its `value` off the fee of an order, or sets the fee to its `price`.
    """

    count: Annotated[WholeNumber, Field(ge=1, le=1000)]
    for_: OrderKind = Field(DEFAULT_ORDERS, alias="for")
    value: Positive | None = None
    price: Amount | None = None
    currency: Currency
    valid: Validity
    where: tuple[Comparison, ...] = Field(min_length=1)
    _read_with: ReadWith = PrivateAttr(default_factory=ReadWith)

    @property
    def row(self) -> QueryRow:
        """Return an order in a query."""
        return QueryRow(self.fee.collection, declared=self._read_with.facts)

    @property
    def fee(self) -> Fee:
        """Return the fee that a coupon reduces."""
        return COUPON_FEES[self.for_]

    @model_validator(mode="after")
    def _value_or_price(self) -> Self:
        stated = [amount for amount in (self.value, self.price) if amount is not None]
        if len(stated) != 1:
            raise ValueError(_("say either %(one)s or %(other)s") % {"one": "value", "other": "price"})
        check_unit(stated[0], self.currency)
        if self.price is not None and self.price < self.fee.least:
            words = {"fee": self.fee.label, "least": self.fee.least, "price": self.price}
            raise ValueError(_("a price of %(price)s is too low: the %(fee)s is never below %(least)s") % words)
        return self

    @model_validator(mode="after")
    def _valid_for_a_time(self) -> Self:
        if self.valid.from_ is not None and self.valid.from_.instant >= self.valid.to.after:
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
        """Return the value of all coupons together: 0.00 where they set a price, whatever that takes off later."""
        return self.each * self.count

    @property
    def each(self) -> Decimal:
        """Return the value of a coupon that is on no order: 0.00 where it sets a price."""
        return self.value if self.value is not None else Decimal("0.00")

    def reduces(self, fee_value: Decimal) -> bool:
        """Return whether a coupon can reduce a fee: one with a price needs a fee above it."""
        return self.price is None or fee_value > self.price

    def worth(self, fee_value: Decimal) -> Decimal:
        """Return the amount that one coupon takes off a fee: at most as much as leaves the least that is charged."""
        off = self.value if self.value is not None else fee_value - (self.price or 0)
        return max(Decimal("0.00"), min(off, round_money_down(fee_value - self.fee.least, self.currency)))


class Coupons(DefinitionModel):
    """Benefit made of coupons."""

    coupons: CouponBundle

    @property
    def fixed_currency(self) -> str:
        """Return the currency of the benefit."""
        return self.coupons.currency
