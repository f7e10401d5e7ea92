"""Threshold tags, stored: each order is tagged at its first receipt as a threshold order or as a candidate."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain, groupby, islice
from typing import Any

from django.db.models import DateTimeField, Exists, Max, OuterRef, Subquery, Value

from campaigns.eligibility import affected, differences, thresholds
from campaigns.eligibility.changes import Changes
from campaigns.models import Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert, bulk_update, planner_hints
from definitions.claim_terms import Threshold
from rules.conditions import all_of
from rules.query_row import QueryRow
from trade.models import Receipt, TradeOrder

COLUMNS = ["offer_id", "subject", "merchant_id", "kind", "tagged_at", "judged_at", "total"]
MERCHANTS_AT_ONCE = 500
REVIEW_REASON = "a receipt its threshold rests on changed"


def newest() -> int:
    """Return the key of the newest tag of all offers, 0 without one: later tags have higher keys."""
    top: Any = Tag.objects.aggregate(top=Max("pk"))["top"]
    return top or 0


def tag(offer: PublishedOffer, threshold: Threshold, changes: Changes) -> None:
    """Tag the orders first booked by `changes.until` that have no tag yet.

    A tag never changes. Where the receipts under a candidate's tag were corrected, its live grant is marked for review.
    """
    if changes.passed(offer.terms.decision_instant):
        changes = replace(changes, since=None)  # nothing was tagged before, so no receipt is late
    if affected.lists_changed(offer.terms, changes):
        changes = replace(changes, reevaluate_all=True)
    merchants = chain(_follow_owners(offer, changes), _merchants(changes))
    again = changes.held.merchants_again
    new = (code for code in merchants if code not in changes.held.merchants and code not in again)
    written = 0
    while chunk := list(islice(new, MERCHANTS_AT_ONCE)):
        written += _tag_guarded(offer, threshold, chunk, changes)
    for merchant, since in again.items():  # its receipts are late only if they were so when it was left out
        written += _tag_guarded(offer, threshold, [merchant], replace(changes, since=since))
    planner_hints.analyze(written, Tag)


def _tag_guarded(offer: PublishedOffer, threshold: Threshold, merchants: list[str], changes: Changes) -> int:
    return sum(changes.guard.run("tag", merchants, lambda some: _tag_chunk(offer, threshold, some, changes)))


def _follow_owners(offer: PublishedOffer, changes: Changes) -> list[str]:
    """Pass the tags of orders that moved to another merchant on to that one. Returns the merchants that lost a tag."""
    if changes.only:
        orders = TradeOrder.objects.filter(pk__in=changes.only.subjects)
    else:
        orders = TradeOrder.objects.filter(batch__in=changes.batches)
    owner = orders.filter(pk=OuterRef("subject")).order_by()
    moved = Tag.objects.filter(Exists(owner.exclude(merchant=OuterRef("merchant"))), offer=offer.id)
    former = sorted(set(moved.values_list("merchant_id", flat=True)))
    if former:
        moved.update(merchant=Subquery(owner.values("merchant")))
    return former


def _merchants(changes: Changes) -> Iterator[str]:
    keys = affected.merchants_to_tag(changes)
    if keys is None:
        keys = TradeOrder.objects.order_by().values_list("merchant_id", flat=True)
    seen: set[str] = set()
    for code in keys.iterator(chunk_size=MERCHANTS_AT_ONCE):
        if code not in seen:
            seen.add(code)
            yield code


def _receipts(offer: PublishedOffer, threshold: Threshold, merchants: list[str], until: datetime) -> Any:
    orders = TradeOrder.objects.annotate(seen_at=Value(until, output_field=DateTimeField()))
    counting = orders.filter(all_of(threshold.where, QueryRow(offer.terms.collection)), merchant__in=merchants)
    booked = Receipt.objects.filter(
        order__in=counting.values("pk"), booked_at__gte=threshold.window.start, booked_at__lt=threshold.window.end
    )
    columns = ("order__merchant_id", "order_id", "receipt_no", "amount_usd", "booked_at", "cancelled_at")
    return booked.order_by("order__merchant_id").values_list(*columns).iterator(chunk_size=5_000)


def _tag_chunk(offer: PublishedOffer, threshold: Threshold, merchants: list[str], changes: Changes) -> int:
    """Tag the orders of some merchants. Return the number of new tags."""
    known = _known(offer, merchants)
    fresh: list[tuple[object, ...]] = []
    doubtful: dict[str, str] = {}
    for merchant, group in groupby(_receipts(offer, threshold, merchants, changes.until), key=lambda row: row[0]):
        before = known.get(merchant, {})
        receipts = [thresholds.Receipt(*row[1:]) for row in group]
        for new in thresholds.tag_orders(
            receipts, height=threshold.height, until=changes.until, known=before, since=changes.since
        ):
            if new.order not in before:
                kind = Tag.Kind.CANDIDATE if new.candidate else Tag.Kind.THRESHOLD
                fresh.append((offer.id, new.order, merchant, str(kind), new.at, new.judged_at, new.total))
            elif _contradicted(before[new.order], new):
                doubtful[new.order] = f"{new.candidate} {new.at.isoformat()} {new.total}"
    bulk_insert.write(Tag._meta.db_table, COLUMNS, fresh)
    _mark(offer, merchants, doubtful)
    return len(fresh)


def _mark(offer: PublishedOffer, merchants: list[str], doubtful: dict[str, str]) -> None:
    """Mark the live grants whose tag the receipts contradict now; `doubtful` has the tag they would give, by order."""
    live = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE)
    named = live.filter(merchant__in=merchants, differences__contains=REVIEW_REASON)  # the tag may be right again
    orders = {*doubtful, *named.values_list("subject", flat=True)}
    marked = []
    for grant in live.filter(subject__in=orders).order_by("pk").select_for_update(no_key=True) if orders else ():
        value = doubtful.get(grant.subject)
        if differences.mark(grant, {REVIEW_REASON: value} if value else {}, of=(REVIEW_REASON,)):
            marked.append(grant)
    bulk_update.save(marked, differences.MARKED)


def total(offer: PublishedOffer, threshold: Threshold, merchant: str, *, at: datetime) -> Decimal:
    """Return the sum of the merchant's receipts that count towards the threshold by `at`, in USD."""
    booked = _receipts(offer, threshold, [merchant], at)
    known = _known(offer, [merchant]).get(merchant, {})
    receipts = [thresholds.Receipt(*row[1:]) for row in booked]
    return thresholds.total(receipts, height=threshold.height, until=at, known=known)


def _known(offer: PublishedOffer, merchants: list[str]) -> dict[str, dict[str, thresholds.Tag]]:
    known: dict[str, dict[str, thresholds.Tag]] = {}
    for row in Tag.objects.filter(offer=offer.id, merchant__in=merchants):
        candidate = row.kind == Tag.Kind.CANDIDATE
        tag = thresholds.Tag(row.subject, candidate, row.tagged_at, row.judged_at, row.total)
        known.setdefault(row.merchant_id, {})[row.subject] = tag
    return known


def _contradicted(old: thresholds.Tag, new: thresholds.Tag) -> bool:
    """Return True if the present receipts would give a candidate another tag."""
    return old.candidate and (not new.candidate or new.at != old.at)
