"""Unsettled merchants: those with uses that are not decided yet, or with units that have not come back yet.

The uses of the period are not read: what was known when the tick decided is settled. What remains are instants since
then, and the rows of imports that no tick has processed. Uses that are decided at once are settled, so their batches
are left out.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from campaigns.allowances.published import UseGroup
from campaigns.models import UsageDecision
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from imports.models import USES, ImportBatch
from services.models import Usage

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def send(group: UseGroup, merchants: Sequence[str], *, since: datetime | None, at: datetime) -> Callable[[], set[str]]:
    """Start the query for the unsettled ones of some merchants, and return a function that waits for them.

    `since` is the instant up to which the uses of the group were decided. `at` is that of new uses: a merchant with a
    later use is unsettled too.
    """
    start = group.since(at)
    after = start - timedelta(microseconds=1)
    fetch = _unsettled(group).execute_deferred(
        merchants=merchants, start=start, since=since or BEGINNING, after=max(after, since or after), at=at
    )
    return lambda: {merchant for (merchant,) in fetch()}


@compiled_query
def _unsettled(group: UseGroup) -> "QuerySet[Usage, Any]":
    at = instant("at")
    rows = (
        Usage.objects.order_by()
        .filter(AnyOfParameter("merchant_id", "merchants"), group.q())
        .values_list("merchant_id")
    )
    undecided = Q(decision=None, used_at__lt=at)
    accepted = Q(decision__result=UsageDecision.Result.ACCEPTED, decision__returned_at=None)
    unreturned = accepted & Q(used_at__gte=instant("start"), cancelled_at__lte=at)
    new = rows.filter(Q(used_at__gt=at) | undecided, used_at__gt=instant("after"))
    cancelled = rows.filter(unreturned, cancelled_at__gt=instant("since"))
    imports = ImportBatch.objects.filter(processed=False).exclude(source=USES)
    late = rows.filter(undecided | unreturned, used_at__gte=instant("start"), batch__in=imports.values("pk"))
    return new.union(cancelled, late)
