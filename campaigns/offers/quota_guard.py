"""Quota counters: the places taken of each offer, and by each merchant where the offer limits those.

Only these statements change the counters, in the transaction that writes or releases the grants they count. They add to
what is stored, never to what was read before: two writers wait for each other's row, and the check constraints refuse a
place beyond its limit even if the engine has miscounted or does not hold its lock (docs/decisions/0022-quota-guard.md).
"""

import json
from collections import Counter

from django.db import connection

from campaigns.models import Grant, MerchantQuota, Offer
from core.db.pipeline import execute

OFFERS, QUOTAS, GRANTS = (model._meta.db_table for model in (Offer, MerchantQuota, Grant))
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


def recount_merchants(offer: Offer) -> None:
    """Count the places of every merchant anew: for an offer that starts or stops to limit its merchants.

    The caller holds the row of the offer, so that no place is taken meanwhile.
    """
    MerchantQuota.objects.filter(offer=offer).delete()
    if offer.limit_per_merchant is not None:
        execute(RECOUNT_MERCHANTS, [offer.limit_per_merchant, offer.limit_per_merchant, offer.pk])


def _each() -> str:
    return "json_each_text" if connection.vendor == "postgresql" else "json_each"


def _as_json(merchants: Counter[str]) -> str:
    # Sorted, so that two writers lock the rows of merchants in one order.
    return json.dumps(dict(sorted(merchants.items())))
