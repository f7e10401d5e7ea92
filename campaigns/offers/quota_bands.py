"""Bands of an offer's quota: their rows, the counters of a grant, and counting anew when a version changes them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import Count, DateTimeField, Q, QuerySet, Sum, Value
from django.utils.translation import gettext as _

from campaigns.models import BandCounter, Grant, Offer, QuotaBand
from campaigns.offers import quota_guard
from core.db import bulk_update
from core.db.compiled_queries import compiled_query, number
from core.db.fields import money_total
from core.formatting import format_money, format_number
from definitions.claim_terms import ClaimAt
from definitions.offer_terms import OfferTerms
from definitions.quotas import ALL, MERCHANT, Band
from rules.moments import moment_expression

CHUNK = 5_000  # grants counted anew at once

Keys = tuple[str | None, ...]


def keys_of(bands: Sequence[Band], merchant: str, holders: Mapping[str, str | None], at: datetime) -> Keys:
    """Return the key of the counter of a claim in each band; None where the band does not count it.

    A band counts no claim outside its period, and none of a row without the holder.
    """
    return tuple(_key(band, merchant, holders, at) for band in bands) if bands else ()


def _key(band: Band, merchant: str, holders: Mapping[str, str | None], at: datetime) -> str | None:
    period = band.period_key(at)
    if period is None or band.per == ALL:
        return period
    holder = merchant if band.per == MERCHANT else holders.get(band.per)
    return f"{holder} {period}".rstrip() if holder else None


def holder_in(band: Band, key: str) -> str:
    """Return the holder that the key of a counter names, for a band with holders."""
    return key if band.in_ is None else key.rpartition(" ")[0]


def limits_of(terms: OfferTerms, band: Band, holders: Collection[str]) -> dict[str, int]:
    """Return the limit that a fact of each holder states, in units of the band: 0 where it is empty."""
    rows = terms.holder_rows(band.per)
    assert rows is not None  # the terms were checked
    stated = rows.model._default_manager.filter(pk__in=sorted(holders)).order_by()
    fact = rows.expression(band.fact if rows.is_merchants else band.fact.removeprefix(f"{band.per}."))
    found = stated.annotate(x_limit=fact).values_list("pk", "x_limit")
    return dict.fromkeys(holders, 0) | {pk: band.units_of(number or 0) for pk, number in found}


def band_units(ids: Sequence[int], bands: Sequence[Band], keys: Keys, amount: Decimal) -> dict[str, int]:
    """Return the units that a grant of `amount` takes, by the name of the counter."""
    counted = zip(ids, bands, keys, strict=True)
    return {f"{pk}:{key}": units_of(band, amount) for pk, band, key in counted if key is not None}


def units_of(band: Band, amount: Decimal) -> int:
    """Return the units that a grant of an amount takes from a band: hundredths of the currency, or one grant."""
    return int(amount * 100) if band.is_amount else 1


def ids_of(offer_id: int, bands: Sequence[Band]) -> tuple[int, ...]:
    """Return the keys of the rows of bands of the version in force, in their order."""
    if not bands:
        return ()
    known = dict(_ids()(offer=offer_id))
    return tuple(known[band.signature] for band in bands)


@compiled_query
def _ids() -> "QuerySet[QuotaBand, Any]":
    return QuotaBand.objects.filter(offer=number("offer")).order_by().values_list("signature", "pk")


def replace(offer: Offer, terms: OfferTerms) -> None:
    """Bring the rows of an offer's bands to the terms of a new version.

    A band that was there before keeps its counters, whatever its limit is now; a new one counts all grants anew. The
    caller holds the row of the offer, so that nothing is taken meanwhile.
    """
    wanted = {band.signature: band for band in terms.limits.bands}
    rows = {row.signature: row for row in QuotaBand.objects.filter(offer=offer)}
    gone = [row.pk for signature, row in rows.items() if signature not in wanted]
    BandCounter.objects.filter(band__in=gone).delete()
    QuotaBand.objects.filter(pk__in=gone).delete()
    new: list[tuple[int, Band]] = []
    for signature, band in wanted.items():
        if row := rows.get(signature):
            QuotaBand.objects.filter(pk=row.pk).exclude(at_most=band.units).update(at_most=band.units)
        else:
            row = QuotaBand.objects.create(offer=offer, signature=signature, at_most=band.units)
            new.append((row.pk, band))
    if new:
        _count_anew(offer, terms, new)


def _count_anew(offer: Offer, terms: OfferTerms, new: Sequence[tuple[int, Band]]) -> None:
    """Count the grants of an offer for bands that it did not have, and note in each grant what it takes."""
    ids, bands = zip(*new, strict=True)
    known = {str(pk) for pk in QuotaBand.objects.filter(offer=offer).values_list("pk", flat=True)}
    taken: Counter[str] = Counter()
    for chunk in _chunks(_counted(offer)):
        holders = _holders(terms, chunk)
        for grant in chunk:
            keys = keys_of(bands, grant.merchant_id, holders.get(grant.subject, {}), grant.claimed_at)
            units = band_units(ids, bands, keys, grant.amount)
            kept = {name: n for name, n in units_in(grant).items() if name.partition(":")[0] in known}
            grant.band_units = json.dumps({**kept, **units})
            if grant.status != Grant.Status.RELEASED:
                taken.update(units)
        bulk_update.save(chunk, ["band_units"])
    quota_guard.count_units(taken)


def _holders(terms: OfferTerms, grants: Sequence[Grant]) -> dict[str, dict[str, str | None]]:
    """Return the holders of the bands for the subjects of grants, as they are recorded now."""
    names = terms.limits.holders
    if not names:
        return {}
    rows = terms.collection.model._default_manager.filter(pk__in=[grant.subject for grant in grants])
    if isinstance(terms.claim, ClaimAt):  # rows are looked up as of the claim, or of the decision
        decided = terms.decision_instant
        seen = Value(decided, output_field=DateTimeField()) if decided else None
        rows = rows.annotate(seen_at=seen or moment_expression(terms.claim.at, terms.collection))
    keys = {f"x_{name}": terms.collection.holder_key(name) for name in names}
    values = rows.annotate(**keys).values_list("pk", *keys)
    return {pk: dict(zip(names, holders, strict=True)) for pk, *holders in values}


def _counted(offer: Offer) -> "QuerySet[Grant]":
    """Select the grants that are not released, or whose release comes after all that was decided."""
    counted = ~Q(status=Grant.Status.RELEASED)
    if offer.claims_decided_until is not None:
        counted |= Q(ended_at__gt=offer.claims_decided_until)
    return Grant.objects.filter(counted, offer=offer).order_by("pk")


def _chunks(grants: "QuerySet[Grant]") -> Iterator[list[Grant]]:
    stream = grants.iterator(chunk_size=CHUNK)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def units_in(grant: Grant) -> dict[str, int]:
    """Return the units that a grant takes from bands, by the name of the counter."""
    return json.loads(grant.band_units) if grant.band_units else {}


def total_units(grants: Iterable[Grant]) -> Counter[str]:
    """Return the units that some grants take together, by the name of the counter."""
    total: Counter[str] = Counter()
    for grant in grants:
        total.update(units_in(grant))
    return total


def objection(row: Offer, terms: OfferTerms) -> str:
    """Return why the bands of a version cannot be published: a limit for all that is lower than what is taken.

    A lowered limit of each holder or period admits nothing until enough has come back, or until the next period.
    """
    for band in terms.limits.bands:
        if band.units is None or band.per != ALL or band.in_ is not None:
            continue
        if (taken := _taken(row, band)) > band.units:
            words = {"code": terms.code, "used": show_units(band, taken), "limit": show_units(band, band.units)}
            return _("offer %(code)s: %(used)s are used, the limit cannot be %(limit)s") % words
    return ""


def _taken(row: Offer, band: Band) -> int:
    """Return the units that all grants of an offer take from a band, from its counter or else from the grants."""
    counters = BandCounter.objects.filter(band__offer=row, band__signature=band.signature)
    if (taken := counters.values_list("taken", flat=True).first()) is not None:
        return taken
    given = Grant.objects.filter(offer=row).exclude(status=Grant.Status.RELEASED)
    sums = given.aggregate(n=Count("pk"), amount=Sum("amount", output_field=money_total(), default=Decimal(0)))
    return round(sums["amount"] * 100) if band.is_amount else int(sums["n"])


def show_units(band: Band, units: int) -> str:
    """Return units of a band in words: a number, or an amount with its currency."""
    return format_money(Decimal(units) / 100, band.currency or "") if band.is_amount else format_number(units)


def plain_units(band: Band, units: int) -> str:
    """Return units of a band as programs read them: a number, or an amount with two decimals."""
    return f"{Decimal(units) / 100:.2f}" if band.is_amount else str(units)
