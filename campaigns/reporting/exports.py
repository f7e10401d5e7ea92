"""The tables that other systems read (files.md, "Results out")."""

from collections.abc import Iterator
from datetime import UTC, datetime

from campaigns.models import Coupon, Grant

GRANT_COLUMNS = "offer,subject,merchant_code,status,amount,currency,claimed_at".split(",")
COUPON_COLUMNS = "offer,merchant_code,code,status,value,currency,order_no".split(",")
Row = tuple[object, ...]


def instant(at: datetime) -> str:
    """UTC, with fractions of a second only where there are some: `2022-09-05T07:00:00Z`."""
    text = at.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if '.' in text else text}Z"


def grants() -> Iterator[Row]:
    """One row a grant, in whatever state, by offer, claim time and subject."""
    columns = ("offer__code", "subject", "merchant_id", "status", "amount", "currency", "claimed_at")
    found = Grant.objects.order_by("offer__code", "claimed_at", "subject", "pk").values_list(*columns)
    for *values, claimed_at in found.iterator(chunk_size=5_000):
        yield (*values, instant(claimed_at))


def coupons() -> Iterator[Row]:
    """One row a coupon; `order_no` is the freight order it is locked to or was redeemed on."""
    columns = ("offer__code", "merchant_id", "code", "status", "value", "currency", "order_no")
    found = Coupon.objects.order_by("offer__code", "merchant_id", "number", "code").values_list(*columns)
    for *values, order_no in found.iterator(chunk_size=5_000):
        yield (*values, order_no or "")
