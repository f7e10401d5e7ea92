"""Benefits: a discount on a fee, or a bundle of coupons."""

from typing import Annotated

from pydantic import Discriminator, Tag

from definitions.benefits.coupons import CouponBundle, Coupons, Validity
from definitions.benefits.discounts import Discount, Reduction, Slice, Tier
from definitions.benefits.values import FactValue, MeasureValue
from rules.base import form_of

__all__ = [
    "Benefit",
    "CouponBundle",
    "Coupons",
    "Discount",
    "FactValue",
    "MeasureValue",
    "Reduction",
    "Slice",
    "Tier",
    "Validity",
]


def _form(value: object) -> str:
    return form_of(value, {"coupons": "Coupons", "fee": "Discount"}, "Discount")


Benefit = Annotated[
    Annotated[Discount, Tag("Discount")] | Annotated[Coupons, Tag("Coupons")],
    Discriminator(_form),
]
