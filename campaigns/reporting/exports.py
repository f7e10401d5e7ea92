"""Tables of grants and coupons that other systems read: one row each, in a fixed order of columns."""

from collections.abc import Iterator
from datetime import UTC, datetime

from campaigns.models import Coupon, Grant

GRANT_COLUMNS = "offer,subject,merchant_code,status,amount,currency,claimed_at".split(",")
COUPON_COLUMNS = "offer,merchant_code,code,status,value,currency,order_no".split(",")
Row = tuple[object, ...]


def format_instant(at: datetime) -> str:
    """Return an instant in UTC, without trailing zeros: `2022-09-05T07:00:00Z`, `2022-09-05T07:00:00.5Z`."""
    text = at.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if '.' in text else text}Z"


def grants() -> Iterator[Row]:
    """Yield a row for each grant in any state, ordered by offer, claim time and subject."""
    columns = ("offer__code", "subject", "merchant_id", "status", "amount", "currency", "claimed_at")
    rows = Grant.objects.order_by("offer__code", "claimed_at", "subject", "pk").values_list(*columns)
    for *values, claimed_at in rows.iterator(chunk_size=5_000):
        yield (*values, format_instant(claimed_at))


def coupons() -> Iterator[Row]:
    """Yield a row for each coupon; `order_no` is the freight order that it is locked to or redeemed on."""
    columns = ("offer__code", "merchant_id", "code", "status", "value", "currency", "order_no")
    rows = Coupon.objects.order_by("offer__code", "merchant_id", "number", "code").values_list(*columns)
    for *values, order_no in rows.iterator(chunk_size=5_000):
        yield (*values, order_no or "")
