"""Tables of grants and coupons that other systems read: one row each, in a fixed order of columns."""

from collections.abc import Iterator
from datetime import UTC, datetime

from campaigns.allowances import entitlements as held
from campaigns.models import Allowance, Coupon, Grant, UsageDecision

GRANT_COLUMNS = "offer,subject,merchant_code,status,amount,currency,claimed_at".split(",")
COUPON_COLUMNS = "offer,merchant_code,code,status,value,currency,order_no".split(",")
ALLOWANCE_COLUMNS = "code,merchant_code,period,units,used".split(",")
USAGE_COLUMNS = "usage_no,result".split(",")
ENTITLEMENT_COLUMNS = "holder_kind,holder,entitlement,value".split(",")
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


def allowances() -> Iterator[Row]:
    """Yield a row for each allowance that was collected, or of which something was used; returned units count as left.

    Ordered by code, merchant and period.
    """
    rows = Allowance.objects.order_by("document__code", "merchant", "period")
    yield from rows.values_list("document__code", "merchant_id", "period", "units", "used").iterator(chunk_size=5_000)


def usages() -> Iterator[Row]:
    """Yield the result of each use that was decided, ordered by its number."""
    yield from UsageDecision.objects.order_by("pk").values_list("pk", "result").iterator(chunk_size=5_000)


def entitlements(*, at: datetime) -> Iterator[Row]:
    """Yield what each merchant and buyer is entitled to at an instant, ordered by kind of holder, holder and code."""
    for kind in ("buyer", "merchant"):
        for one in held.held_by_all(kind, at=at):
            yield (kind, one.holder, one.code, one.value)
