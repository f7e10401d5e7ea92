"""Threshold tags, stored: each order is tagged at its first receipt as a threshold order or as a candidate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import DateTimeField, Exists, Max, OuterRef, Subquery, Value

from campaigns.eligibility import affected, differences, thresholds
from campaigns.eligibility.changed_facts import Keys
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.guards import PLAIN
from campaigns.models import Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert, planner_hints
from definitions.claim_terms import Threshold
from rules.conditions import all_of
from trade.models import Receipt, TradeOrder

COLUMNS = ["offer_id", "subject", "merchant_id", "kind", "tagged_at", "judged_at", "total"]
MERCHANTS_AT_ONCE = 500
Row = tuple[Any, ...]
Receipts = dict[str, list[thresholds.Receipt]]
Read = Callable[[list[str]], Receipts]
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
    again = changes.held.merchants_again
    left_out = {*changes.held.merchants, *again}
    keys = affected.merchants_to_tag(changes)
    merchants = [code for code in _merchants(keys, _follow_owners(offer, changes)) if code not in left_out]
    read = partial(_read, offer, threshold, changes.until)
    # One pass over all receipts: a query for each chunk would read the whole tables each time. A guard that looks for
    # the merchant at fault reads again and again.
    in_chunks = _in_order(_receipts(offer, threshold, changes.until)) if _is_one_pass(keys, changes) else read
    written = 0
    for start in range(0, len(merchants), MERCHANTS_AT_ONCE):
        chunk = merchants[start : start + MERCHANTS_AT_ONCE]
        written += _tag_guarded(offer, threshold, chunk, changes, in_chunks)
    for merchant, since in again.items():  # its receipts are late only if they were so when it was left out
        written += _tag_guarded(offer, threshold, [merchant], replace(changes, since=since), read)
    planner_hints.analyze(written, Tag)


def _tag_guarded(
    offer: PublishedOffer, threshold: Threshold, merchants: list[str], changes: Changes, read: Read
) -> int:
    def work(some: list[str]) -> int:
        return _tag_chunk(offer, read(some), threshold.height, changes)

    return sum(changes.guard.run("tag", merchants, work))


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


def _merchants(keys: Keys | None, former: list[str]) -> list[str]:
    """Return the merchants to examine, in order: all of them without `keys`."""
    if keys is None:
        keys = TradeOrder.objects.order_by().values_list("merchant_id", flat=True).distinct()
    return sorted({*keys.iterator(), *former})


def _is_one_pass(keys: Keys | None, changes: Changes) -> bool:
    return keys is None and changes.guard is PLAIN


def _in_order(rows: Iterator[Row]) -> Read:
    """Return a function that reads the receipts of some merchants from rows of all; both are ordered by merchant."""
    row = next(rows, None)

    def read(merchants: list[str]) -> Receipts:
        nonlocal row
        found: Receipts = {merchant: [] for merchant in merchants}
        while row is not None and row[0] <= merchants[-1]:
            if row[0] in found:
                found[row[0]].append(thresholds.Receipt(*row[1:]))
            row = next(rows, None)
        return found

    return read


def _read(offer: PublishedOffer, threshold: Threshold, until: datetime, merchants: list[str]) -> Receipts:
    """Return the receipts of each merchant that count by `until`. The merchants are in order."""
    return _in_order(_receipts(offer, threshold, until, merchants=merchants))(merchants)


def _receipts(
    offer: PublishedOffer, threshold: Threshold, until: datetime, *, merchants: list[str] | None = None
) -> Iterator[Row]:
    """Stream the merchant and the columns of each receipt that counts by `until`, ordered by merchant."""
    orders = TradeOrder.objects.annotate(seen_at=Value(until, output_field=DateTimeField()))
    counting = orders.filter(all_of(threshold.where, offer.terms.row_of(offer.terms.collection)))
    if merchants is not None:
        counting = counting.filter(merchant__in=merchants)
    booked = Receipt.objects.filter(
        order__in=counting.values("pk"), booked_at__gte=threshold.window.start, booked_at__lt=threshold.window.end
    )
    columns = ("order__merchant_id", "order_id", "receipt_no", "amount_usd", "booked_at", "cancelled_at")
    rows: Iterator[Row] = booked.order_by("order__merchant_id").values_list(*columns).iterator(chunk_size=5_000)
    return rows


def _tag_chunk(offer: PublishedOffer, chunk: Receipts, height: Decimal, changes: Changes) -> int:
    """Tag the orders of some merchants. Return the number of new tags."""
    merchants = list(chunk)
    known = _known(offer, merchants)
    fresh: list[tuple[object, ...]] = []
    doubtful: dict[str, str] = {}
    for merchant, receipts in chunk.items():
        before = known.get(merchant, {})
        for new in thresholds.tag_orders(
            receipts, height=height, until=changes.until, known=before, since=changes.since
        ):
            if new.order not in before:
                kind = Tag.Kind.CANDIDATE if new.candidate else Tag.Kind.THRESHOLD
                fresh.append((offer.id, new.order, merchant, str(kind), new.at, new.judged_at, new.total))
            elif _contradicted(before[new.order], new):
                doubtful[new.order] = f"{new.candidate} {new.at.isoformat()} {new.total}"
    bulk_insert.write(Tag._meta.db_table, COLUMNS, fresh)
    _mark(offer, merchants, doubtful, at=changes.until)
    return len(fresh)


def _mark(offer: PublishedOffer, merchants: list[str], doubtful: dict[str, str], *, at: datetime) -> None:
    """Mark the live grants whose tag the receipts contradict `at`; `doubtful`: the tag they would give, by order."""
    live = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE)
    named = live.filter(merchant__in=merchants, differences__contains=REVIEW_REASON)  # the tag may be right again
    orders = {*doubtful, *named.values_list("subject", flat=True)}
    marked = []
    for grant in live.filter(subject__in=orders).order_by("pk").select_for_update(no_key=True) if orders else ():
        value = doubtful.get(grant.subject)
        if differences.mark(grant, {REVIEW_REASON: value} if value else {}, of=(REVIEW_REASON,)):
            marked.append(grant)
    differences.save(marked, at=at)


def total(offer: PublishedOffer, threshold: Threshold, merchant: str, *, at: datetime) -> Decimal:
    """Return the sum of the merchant's receipts that count towards the threshold by `at`, in USD."""
    known = _known(offer, [merchant]).get(merchant, {})
    receipts = _read(offer, threshold, at, [merchant])[merchant]
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
