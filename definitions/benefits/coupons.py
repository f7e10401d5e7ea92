"""Bundles of coupons."""

from decimal import Decimal
from typing import Annotated, Self

from django.utils.translation import gettext as _
from pydantic import Field, PrivateAttr, model_validator

from core.declared_facts import ReadWith
from core.money import CENT, round_money_down
from definitions.benefits.values import MOST_MONEY, Currency, Positive, check_unit
from logistics.facts import FREIGHT_ORDERS
from rules.base import DefinitionModel
from rules.conditions import Comparison, WholeNumber
from rules.query_row import QueryRow
from rules.time_windows import Bound, EndBound


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
    _read_with: ReadWith = PrivateAttr(default_factory=ReadWith)

    @property
    def row(self) -> QueryRow:
        """Return an order in a query."""
        return QueryRow(FREIGHT_ORDERS, declared=self._read_with.facts)

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
