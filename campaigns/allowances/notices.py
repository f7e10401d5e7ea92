"""Notices of allowances that need no collecting: members are told once a period that the units are there.

The units are not written anywhere: a merchant has them at each instant at which the conditions hold. The notice goes
to those who meet the conditions at the first tick of the period. Shorter periods than a week send none.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, QuerySet, Value

from campaigns.allowances.published import PublishedAllowance, published
from campaigns.models import AllowanceNotice, Message
from definitions.case_numbers import number_expression
from merchants.members import enabled
from merchants.models import Merchant
from rules.conditions import all_of
from rules.periods import bounds_of

SHORTEST = timedelta(days=7)
AT_ONCE = 1_000


def send(*, at: datetime) -> int:
    """Send the notices of the periods that hold an instant, each once. Returns the number of messages."""
    return sum(_send(allowance, at) for allowance in published() if not allowance.terms.collected)


@transaction.atomic
def _send(allowance: PublishedAllowance, at: datetime) -> int:
    bounds = bounds_of(allowance.terms.in_, at)
    if bounds is None or bounds[1] - bounds[0] < SHORTEST:
        return 0
    # The row is the lock: a worker that comes at the same time waits for it, and then has nothing to send.
    notice, is_new = AllowanceNotice.objects.get_or_create(
        document_id=allowance.id,
        period=str(allowance.period_key(at)),
        defaults={"starts_at": bounds[0], "ends_at": bounds[1], "sent_at": at},
    )
    if not is_new:
        return 0
    members = enabled().filter(merchant__in=_merchants(allowance, at)).order_by("pk")
    topic = Message.Topic.GRANTED
    rows = [
        Message(
            allowance=notice,
            member=member,
            topic=topic,
            matter=f"allowance {allowance.id} {notice.period}",
            shown=topic in member.shown,
            mail=topic in member.mailed,
        )
        for member in members.iterator(chunk_size=AT_ONCE)
        if topic in member.shown or topic in member.mailed
    ]
    return len(Message.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True))


def _merchants(allowance: PublishedAllowance, at: datetime) -> "QuerySet[Any, Any]":
    """Select the merchants that have the allowance at an instant."""
    terms, row = allowance.terms, allowance.terms.row_of_merchant
    rows: Any = Merchant.objects.annotate(seen_at=Value(at, output_field=DateTimeField()))
    rows = rows.filter(all_of(terms.asked, row)).annotate(x_units=number_expression(terms.units, row))
    return rows.exclude(x_units=None).values("pk")  # type: ignore[no-any-return]
