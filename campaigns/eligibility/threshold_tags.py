"""Threshold tags: fold the receipts of merchants with new facts and store which orders come after the threshold."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import DateTimeField, Max, Value

from campaigns.eligibility import affected, thresholds
from campaigns.eligibility.affected import Changes
from campaigns.models import Grant, Tag
from campaigns.offers.published_offers import PublishedOffer
from core.db import bulk_insert
from definitions.offer_terms import Threshold
from rules.conditions import all_of
from trade.models import Receipt, TradeOrder

COLUMNS = ["offer_id", "subject", "merchant_id", "kind", "tagged_at", "judged_at", "total"]
CHUNK = 500
DOUBT = "a receipt its threshold rests on changed"


def newest(offer: PublishedOffer) -> int:
    """The key of the offer's last tag so far."""
    top: Any = Tag.objects.filter(offer=offer.id).aggregate(top=Max("pk"))["top"]
    return top or 0


def tag(offer: PublishedOffer, threshold: Threshold, news: Changes) -> None:
    """Tag the orders first booked by `news.until` that have no tag yet. Tags given stay."""
    merchants = _merchants(news)
    while chunk := [code for _, code in zip(range(CHUNK), merchants, strict=False)]:
        _tag_some(offer, threshold, chunk, news)


def _merchants(news: Changes) -> Iterator[str]:
    keys = affected.tagging(news)
    if keys is None:
        keys = TradeOrder.objects.order_by().values_list("merchant_id", flat=True)
    seen: set[str] = set()
    for code in keys.iterator(chunk_size=CHUNK):
        if code not in seen:
            seen.add(code)
            yield code


def _receipts(offer: PublishedOffer, threshold: Threshold, merchants: list[str], until: datetime) -> Any:
    orders = TradeOrder.objects.annotate(seen_at=Value(until, output_field=DateTimeField()))
    counting = orders.filter(all_of(threshold.where, offer.terms.row), merchant__in=merchants)
    booked = Receipt.objects.filter(
        order__in=counting.values("pk"), booked_at__gte=threshold.window.start, booked_at__lt=threshold.window.end
    )
    columns = ("order__merchant_id", "order_id", "receipt_no", "amount_usd", "booked_at", "cancelled_at")
    return booked.order_by("order__merchant_id").values_list(*columns).iterator(chunk_size=5_000)


def _tag_some(offer: PublishedOffer, threshold: Threshold, merchants: list[str], news: Changes) -> None:
    known = _known(offer, merchants)
    fresh: list[tuple[object, ...]] = []
    doubtful: list[str] = []
    for merchant, group in groupby(_receipts(offer, threshold, merchants, news.until), key=lambda row: row[0]):
        before = known.get(merchant, {})
        receipts = [thresholds.Receipt(*row[1:]) for row in group]
        for new in thresholds.fold(receipts, height=threshold.height, until=news.until, known=before, since=news.since):
            if new.order not in before:
                kind = Tag.Kind.CANDIDATE if new.candidate else Tag.Kind.THRESHOLD
                fresh.append((offer.id, new.order, merchant, str(kind), new.at, new.judged_at, new.total))
            elif _moved(before[new.order], new):
                doubtful.append(new.order)
    bulk_insert.write(Tag._meta.db_table, COLUMNS, fresh)
    live = Grant.objects.filter(offer=offer.id, subject__in=doubtful, status__in=Grant.LIVE)
    live.update(review=DOUBT)


def total(offer: PublishedOffer, threshold: Threshold, merchant: str, *, at: datetime) -> Decimal:
    """How far the merchant's receipts have come towards the height by `at`, in USD."""
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


def _moved(old: thresholds.Tag, new: thresholds.Tag) -> bool:
    """Whether a candidate's tag rests on receipts that say otherwise now."""
    return old.candidate and (not new.candidate or new.at != old.at)
