"""What came of a trial, read from its sandbox: sums, reasons, the difference to what was tried first, a workbook."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import translation

from campaigns.models import Grant
from campaigns.offers.published_offers import PublishedOffer
from campaigns.reporting import offer_metrics
from campaigns.reporting.exports import instant
from core import spreadsheets

MOST_ROWS = 200_000
"""As many grants of an offer are written into the workbook; the sums count all."""
COLUMNS = "offer,subject,merchant_code,status,amount,currency,claimed_at,before,verdict".split(",")
Grants = QuerySet[Grant]


def summarize(offer: PublishedOffer) -> dict[str, Any]:
    """What came of one offer, as plain values."""
    row = offer.row
    mine = Grant.objects.filter(offer=row.pk).order_by()
    by_status = dict(mine.values("status").annotate(n=Count("pk")).values_list("status", "n"))
    found = mine.aggregate(merchants=Count("merchant", distinct=True), last=Max("claimed_at"))
    full = row.limit is not None and row.used >= row.limit
    return {
        "code": row.code, "names": {"en": row.name_en, "zh": row.name_zh}, "limit": row.limit, "used": row.used,
        "granted": sum(by_status.values()), "by_status": by_status, "merchants": found["merchants"],
        "gone_at": found["last"].isoformat() if full and found["last"] else None,
        "costs": [[c.currency, str(c.spent), str(c.promised)] for c in offer_metrics.costs([row.pk]).get(row.pk, [])],
        "refused": _refused(offer),
        "takers": [[t.code, t.name, t.places, str(t.amount), t.currency] for t in offer_metrics.takers(offer)],
        "history": [
            [point.at.isoformat(), point.taken, point.total]
            for point in offer_metrics.histories([row.pk], zone=UTC).get(row.pk, [])
        ],
    }  # fmt: skip


def _refused(offer: PublishedOffer) -> list[dict[str, Any]]:
    """Why claims got nothing, in both languages: who reads it is not known yet."""
    told: dict[str, dict[str, Any]] = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for one in offer_metrics.refusals(offer):
                mine = told.setdefault(one.name, {"name": one.name, "count": one.count, "near": one.near})
                mine[language] = one.text
    return list(told.values())


def _live(offer: int) -> Grants:
    return Grant.objects.filter(offer=offer, status__in=Grant.LIVE).order_by()


def _same(offer: int) -> Grants:
    """The live grant that the same subject has of another offer."""
    return _live(offer).filter(subject=OuterRef("subject"))


def compare(before: Mapping[str, int], after: Mapping[str, int]) -> list[dict[str, Any]]:
    """How each offer differs between the texts that were tried, by code: its key in the sandbox before and after.

    Counts of subjects that have it only after, only before, with another amount, or just the same.
    """
    return [_difference(code, before.get(code), after.get(code)) for code in sorted({*before, *after})]


def _difference(code: str, old: int | None, new: int | None) -> dict[str, Any]:
    told = {"code": code, "same": 0, "changed": 0, "gained": 0, "lost": 0}
    if new is None or old is None:
        told["gained" if old is None else "lost"] = _live(new or old or 0).count()
        return told
    twin = Q(Exists(_same(old)))
    alike = Q(Exists(_same(old).filter(amount=OuterRef("amount"), currency=OuterRef("currency"))))
    told |= _live(new).aggregate(
        gained=Count("pk", filter=~twin), same=Count("pk", filter=alike), changed=Count("pk", filter=twin & ~alike)
    )
    told["lost"] = _live(old).filter(~Exists(_same(new))).count()
    return told


def workbook(before: Mapping[str, int], after: Mapping[str, int]) -> bytes:
    """Who would get it: a row a grant and, where another text was tried before, one for each that is lost."""
    return spreadsheets.to_xlsx([COLUMNS, *_rows(before, after)])


def _rows(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    columns = ("subject", "merchant_id", "status", "amount", "currency", "claimed_at")
    for code, new in sorted(after.items()):
        old = before.get(code, 0)
        was = Subquery(_same(old).values("amount")[:1])
        mine = Grant.objects.filter(offer=new).annotate(was=was).order_by("claimed_at", "subject")
        for *values, claimed_at, earlier in mine.values_list(*columns, "was")[:MOST_ROWS].iterator(chunk_size=5_000):
            verdict = _verdict(earlier, values[3], values[2] in Grant.LIVE) if before else ""
            yield (code, *values, instant(claimed_at), earlier, verdict)
    for code, old in sorted(before.items()):
        lost = _live(old).filter(~Exists(_same(after.get(code, 0)))).order_by("claimed_at", "subject")
        for subject, merchant, _status, amount, currency, at in lost.values_list(*columns)[:MOST_ROWS].iterator():
            yield (code, subject, merchant, "", None, currency, instant(at), amount, "lost")


def _verdict(earlier: Any, amount: Any, live: bool) -> str:
    if not live:
        return ""
    return "gained" if earlier is None else "same" if earlier == amount else "changed"
