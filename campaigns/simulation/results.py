"""Results of a simulation, read from its isolated tables: sums, reasons, comparison with the base, workbook."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import translation

from campaigns.models import Grant
from campaigns.offers.published_offers import PublishedOffer
from campaigns.reporting import band_figures, offer_metrics, quota_history, refusals
from campaigns.reporting.exports import format_instant
from core import spreadsheets

MOST_ROWS = 200_000
"""Number of grants of an offer that the workbook holds at most; the sums count all."""
COLUMNS = "offer,subject,merchant_code,status,amount,currency,claimed_at,before,verdict".split(",")
Grants = QuerySet[Grant]


def summarize(offer: PublishedOffer) -> dict[str, Any]:
    """Return the results of one offer as JSON values."""
    row = offer.row
    grants = Grant.objects.filter(offer=row.pk).order_by()
    by_status = dict(grants.values("status").annotate(n=Count("pk")).values_list("status", "n"))
    held = Q(status__in=Grant.LIVE)
    on_quota = ~Q(status=Grant.Status.RELEASED)
    totals = grants.aggregate(
        granted=Count("pk", filter=held),
        merchants=Count("merchant", distinct=True, filter=held),
        last=Max("claimed_at", filter=on_quota),
    )
    history = quota_history.histories([row.pk], zone=UTC).get(row.pk, [])
    full = row.limit is not None and row.places_taken >= row.limit
    return {
        "code": row.code,
        "names": {"en": row.name_en, "zh": row.name_zh},
        "limit": row.limit,
        "used": row.places_taken,
        "granted": totals["granted"],
        "by_status": by_status,
        "merchants": totals["merchants"],
        "gone_at": totals["last"].isoformat() if full and totals["last"] else None,
        "costs": [[c.currency, str(c.spent), str(c.promised)] for c in offer_metrics.costs([row.pk]).get(row.pk, [])],
        "refused": _refused(offer),
        "bands": band_figures.band_totals(offer) if offer.terms.limits.bands else [],
        "takers": [[m.code, m.name, m.held, str(m.amount), m.currency] for m in offer_metrics.top_merchants(offer)],
        "history": [[point.at.isoformat(), point.taken, point.total] for point in history],
    }


def _refused(offer: PublishedOffer) -> list[dict[str, Any]]:
    """Return the reasons of refusals in both languages, because the reader's is not known yet."""
    reasons: dict[str, dict[str, Any]] = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for reason in refusals.reasons(offer):
                data = {"name": reason.name, "count": reason.count, "near": reason.near}
                reasons.setdefault(reason.name, data)[language] = reason.text
    return list(reasons.values())


def _live(offer: int) -> Grants:
    return Grant.objects.filter(offer=offer, status__in=Grant.LIVE).order_by()


def _same(offer: int) -> Grants:
    """Return the live grant of `offer` that the subject of the outer query's grant has."""
    return _live(offer).filter(subject=OuterRef("subject"))


def compare(before: Mapping[str, int], after: Mapping[str, int]) -> list[dict[str, Any]]:
    """Compare the grants of base and draft, given the key of each offer's row in them by its code.

    Return for each offer how many subjects have a grant only by the draft (gained), only by the base (lost), by both
    with another amount (changed), or by both alike (same).
    """
    return [_difference(code, before.get(code), after.get(code)) for code in sorted({*before, *after})]


def _difference(code: str, old: int | None, new: int | None) -> dict[str, Any]:
    counts = {"code": code, "same": 0, "changed": 0, "gained": 0, "lost": 0}
    if new is None or old is None:
        counts["gained" if old is None else "lost"] = _live(new or old or 0).count()
        return counts
    twin = Q(Exists(_same(old)))
    alike = Q(Exists(_same(old).filter(amount=OuterRef("amount"), currency=OuterRef("currency"))))
    counts |= _live(new).aggregate(
        gained=Count("pk", filter=~twin), same=Count("pk", filter=alike), changed=Count("pk", filter=twin & ~alike)
    )
    counts["lost"] = _live(old).filter(~Exists(_same(new))).count()
    return counts


def workbook(before: Mapping[str, int], after: Mapping[str, int]) -> bytes:
    """Return a workbook with a row for each grant by the draft and, if there is a base, for each that is lost."""
    return spreadsheets.to_xlsx([COLUMNS, *_rows(before, after)])


def _rows(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    columns = ("subject", "merchant_id", "status", "amount", "currency", "claimed_at")
    for code, new in sorted(after.items()):
        old = before.get(code, 0)
        was = Subquery(_same(old).values("amount")[:1])
        grants = Grant.objects.filter(offer=new).annotate(was=was).order_by("claimed_at", "subject")
        for *values, claimed_at, earlier in grants.values_list(*columns, "was")[:MOST_ROWS].iterator(chunk_size=5_000):
            verdict = _verdict(earlier, values[3], values[2] in Grant.LIVE) if before else ""
            yield (code, *values, format_instant(claimed_at), earlier, verdict)
    for code, old in sorted(before.items()):
        lost = _live(old).filter(~Exists(_same(after.get(code, 0)))).order_by("claimed_at", "subject")
        for subject, merchant, _status, amount, currency, at in lost.values_list(*columns)[:MOST_ROWS].iterator():
            yield (code, subject, merchant, "", None, currency, format_instant(at), amount, "lost")


def _verdict(earlier: object, amount: object, live: bool) -> str:
    if not live:
        return ""
    return "gained" if earlier is None else "same" if earlier == amount else "changed"
