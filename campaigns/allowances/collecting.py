"""Collecting: the first request in each part of the period that meets the conditions gets the allowance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from campaigns.allowances.published import PublishedAllowance
from campaigns.models import Allowance
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from definitions.case_numbers import number_expression
from rules.conditions import all_of
from rules.periods import bounds_of
from services.models import ClaimRequest

Place = tuple[str, str]
"""A merchant, and a part of the period."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Allowance that a request collects, under a version of the terms."""

    request_no: str
    at: datetime
    units: int
    starts_at: datetime
    ends_at: datetime
    version_id: int


def collect(
    allowance: PublishedAllowance, since: Mapping[str, datetime], rows: Mapping[Place, Allowance], *, until: datetime
) -> dict[Place, Collected]:
    """Return what merchants collect by requests from an instant of each up to `until`.

    `rows` are the allowances of that time that are stored. One that was collected under an earlier version stays, as
    long as its request does.
    """
    collected = _kept(allowance, rows)
    if not since:
        return collected
    found = passing(allowance)(merchants=list(since), earliest=min(since.values()), until=until)
    for request_no, merchant, at, units in found:
        bounds = bounds_of(allowance.terms.in_, at)
        if bounds is None or units is None or at < since[merchant]:
            continue
        place = (merchant, str(allowance.period_key(at)))
        if place not in collected:
            collected[place] = Collected(request_no, at, int(units), *bounds, allowance.version_id)
    return collected


def _kept(allowance: PublishedAllowance, rows: Mapping[Place, Allowance]) -> dict[Place, Collected]:
    earlier = {row.request_no: (place, row) for place, row in rows.items() if row.version_id != allowance.version_id}
    if not earlier:
        return {}
    kept: dict[Place, Collected] = {}
    requests = ClaimRequest.objects.filter(pk__in=earlier, offer=allowance.code)
    for request_no, merchant, at in requests.values_list("pk", "merchant_id", "requested_at"):
        place, row = earlier[request_no]
        if place[0] == merchant and row.starts_at <= at < row.ends_at:
            bounds = (row.starts_at, row.ends_at)
            kept[place] = Collected(request_no, at, row.units, *bounds, row.version_id)
    return kept


@compiled_query
def passing(allowance: PublishedAllowance) -> "QuerySet[Any, Any]":
    """Select the requests that meet the conditions as of their instants, in their order."""
    row = allowance.terms.row
    requests: Any = ClaimRequest.objects.filter(
        AnyOfParameter("merchant_id", "merchants"),
        offer=allowance.code,
        requested_at__gte=instant("earliest"),
        requested_at__lte=instant("until"),
    )
    requests = requests.annotate(seen_at=F("requested_at")).filter(all_of(allowance.terms.asked, row))
    requests = requests.annotate(x_units=number_expression(allowance.terms.units, row))
    ordered = requests.order_by("requested_at", "pk")
    return ordered.values_list("pk", "merchant_id", "requested_at", "x_units")  # type: ignore[no-any-return]
