"""Quota counters: the places taken of each offer, by each merchant where the offer limits those, and of each band.

Only these statements change the counters, in the transaction that writes or releases the grants they count. They add to
what is stored, never to what was read before: two writers wait for each other's row, and the check constraints refuse a
place beyond its limit even if the engine has miscounted or does not hold its lock (docs/decisions/0022-quota-guard.md).
"""

import json
from collections import Counter
from collections.abc import Mapping

from django.db import connection

from campaigns.models import BandCounter, Grant, MerchantQuota, Offer, QuotaBand
from core.db.pipeline import execute

OFFERS, QUOTAS, GRANTS, BANDS, COUNTERS = (
    model._meta.db_table for model in (Offer, MerchantQuota, Grant, QuotaBand, BandCounter)
)
ADD = f"UPDATE {OFFERS} SET places_taken = places_taken + %s WHERE id = %s"  # noqa: S608  own name
# One row per merchant, whatever their number: a JSON object of counts by merchant is a single parameter.
# The limit is read from the offer, never from the caller. A limit lowered below the places taken admits none.
ADD_TO_MERCHANTS = f"""
    INSERT INTO {QUOTAS} (offer_id, merchant_id, places_taken, "limit")
    SELECT o.id, added.key, CAST(added.value AS integer), o.limit_per_merchant
    FROM {OFFERS} o CROSS JOIN {{each}}(%s) AS added WHERE o.id = %s AND o.limit_per_merchant IS NOT NULL
    ON CONFLICT (offer_id, merchant_id) DO UPDATE SET places_taken = {QUOTAS}.places_taken + excluded.places_taken,
        "limit" = CASE WHEN {QUOTAS}.places_taken > excluded."limit" THEN {QUOTAS}.places_taken
                       ELSE excluded."limit" END
"""  # noqa: S608  own names
SUBTRACT_FROM_MERCHANTS = f"""
    UPDATE {QUOTAS} AS quota SET places_taken = quota.places_taken - CAST(released.value AS integer)
    FROM {{each}}(%s) AS released WHERE quota.offer_id = %s AND quota.merchant_id = released.key
"""  # noqa: S608  own names
RECOUNT_MERCHANTS = f"""
    INSERT INTO {QUOTAS} (offer_id, merchant_id, places_taken, "limit")
    SELECT offer_id, merchant_id, count(*), CASE WHEN count(*) > %s THEN count(*) ELSE %s END
    FROM {GRANTS} WHERE offer_id = %s AND status <> 'released' GROUP BY offer_id, merchant_id
"""  # noqa: S608  own names
# Counters are named "band:key", for all bands of all offers in one parameter. In the order of the rows, so that two
# writers lock them in one order. The limit is the band's; one lowered below what is taken admits nothing.
NAMED = """
    SELECT CAST(SUBSTR(named.key, 1, {position}(named.key, ':') - 1) AS bigint) AS band_id,
        SUBSTR(named.key, {position}(named.key, ':') + 1) AS key, CAST(named.value AS bigint) AS units
    FROM {each}(%s) AS named
"""
ADD_TO_BANDS = f"""
    INSERT INTO {COUNTERS} (band_id, key, taken, "limit")
    SELECT b.id, added.key, added.units, {{limit}} FROM ({NAMED}) AS added JOIN {BANDS} b ON b.id = added.band_id
    {{stated}} WHERE true ORDER BY 1, 2
    ON CONFLICT (band_id, key) DO UPDATE SET taken = {COUNTERS}.taken + excluded.taken,
        "limit" = CASE WHEN {COUNTERS}.taken > excluded."limit" THEN {COUNTERS}.taken ELSE excluded."limit" END
"""  # noqa: S608  own names
# The band has no limit where a fact of each holder is the limit: what the fact says comes by the name of the counter.
STATED = "LEFT JOIN {each}(%s) AS stated ON stated.key = b.id || ':' || added.key"
STATED_LIMIT = "COALESCE(b.at_most, CAST(stated.value AS bigint))"
COUNT_BANDS = f"""
    INSERT INTO {COUNTERS} (band_id, key, taken, "limit")
    SELECT b.id, found.key, found.units,
        CASE WHEN b.at_most IS NULL OR found.units > b.at_most THEN found.units ELSE b.at_most END
    FROM ({NAMED}) AS found JOIN {BANDS} b ON b.id = found.band_id
"""  # noqa: S608  own names
SUBTRACT_FROM_BANDS = f"""
    UPDATE {COUNTERS} AS counter SET taken = counter.taken - released.units
    FROM ({NAMED}) AS released WHERE counter.band_id = released.band_id AND counter.key = released.key
"""  # noqa: S608  own names


def take_places(offer: Offer, merchants: Counter[str]) -> None:
    """Count new places of an offer, by merchant.

    Raises IntegrityError where the offer or a merchant would exceed its limit; in a pipeline, when that ends.
    """
    if not merchants:
        return
    execute(ADD, [merchants.total(), offer.pk])
    if offer.limit_per_merchant is not None:
        execute(ADD_TO_MERCHANTS.format(each=_each()), [_as_json(merchants), offer.pk])


def return_places(offer_id: int, merchants: Counter[str]) -> None:
    """Count places of an offer that were released, by merchant."""
    if not merchants:
        return
    execute(ADD, [-merchants.total(), offer_id])
    # No rows for offers that do not limit their merchants: then this changes nothing.
    execute(SUBTRACT_FROM_MERCHANTS.format(each=_each()), [_as_json(merchants), offer_id])


def take_units(units: Counter[str], limits: Mapping[str, int]) -> None:
    """Count what new grants take from bands, by the name of the counter.

    `limits` are those that a fact of the holder states, by the name of the counter too. Raises IntegrityError where a
    band would exceed its limit; in a pipeline, when that ends.
    """
    if units and limits:
        named = _named(ADD_TO_BANDS, limit=STATED_LIMIT, stated=STATED.format(each=_each()))
        execute(named, [_as_json(units), _as_json(limits)])
    elif units:
        execute(_named(ADD_TO_BANDS, limit="b.at_most", stated=""), [_as_json(units)])


def return_units(units: Counter[str]) -> None:
    """Count what released grants give back to their bands, by the name of the counter."""
    if units:
        # No rows for bands that a later version left out: then this changes nothing.
        execute(_named(SUBTRACT_FROM_BANDS), [_as_json(units)])


def count_units(units: Counter[str]) -> None:
    """Write the counters of new bands: what live grants take, which may be more than the limit."""
    if units:
        execute(_named(COUNT_BANDS), [_as_json(units)])


def recount_merchants(offer: Offer) -> None:
    """Count the places of every merchant anew: for an offer that starts or stops to limit its merchants.

    The caller holds the row of the offer, so that no place is taken meanwhile.
    """
    MerchantQuota.objects.filter(offer=offer).delete()
    if offer.limit_per_merchant is not None:
        execute(RECOUNT_MERCHANTS, [offer.limit_per_merchant, offer.limit_per_merchant, offer.pk])


def _named(statement: str, **parts: str) -> str:
    position = "STRPOS" if connection.vendor == "postgresql" else "INSTR"
    return statement.format(each=_each(), position=position, **parts)


def _each() -> str:
    return "json_each_text" if connection.vendor == "postgresql" else "json_each"


def _as_json(counts: Mapping[str, int]) -> str:
    # Sorted, so that two writers lock the rows of merchants in one order.
    return json.dumps(dict(sorted(counts.items())))
