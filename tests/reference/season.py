"""All nine offers of a folder of facts, as of an instant."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.reference import freight, trade
from tests.reference.allocation import Claim, Quota, allocate
from tests.reference.facts import World, load

QUOTAS = {
    "service-fee-half": Quota(),
    "oa-fee-waiver": Quota(),
    "easy-return-premium-half": Quota(20_000),
    "lc-financing-first-draw": Quota(None, 1),
    "express-coupons": Quota(3_000, 1),
    "multimodal-reduction": Quota(3_000, 3),
    "charter-5-off": Quota(10_000),
    "parcel-11-off": Quota(None, 20),
    "us-west-port-to-door": Quota(300, 2),
}


@dataclass(frozen=True)
class Result:
    """Grants as rows of `export_grants`, and coupons counted by offer, merchant and status."""

    grants: list[tuple[str, ...]]
    coupons: Counter[tuple[str, str, str]]


def decide(folder: Path, as_of: datetime, overrides: Mapping[str, Mapping[str, int]] | None = None) -> Result:
    """Decide a folder of facts as of an instant; `overrides` has `limit` or `cap` by offer, as a case does."""
    return decide_world(load(folder, as_of.astimezone(UTC)), overrides)


def decide_world(world: World, overrides: Mapping[str, Mapping[str, int]] | None = None) -> Result:
    """Decide facts that are in memory already."""
    quotas = {**QUOTAS}
    for offer, words in (overrides or {}).items():
        quota = quotas[offer]
        quotas[offer] = replace(
            quota, limit=words.get("limit", quota.limit), per_merchant=words.get("cap", quota.per_merchant)
        )
    granted = {"express-coupons": list(allocate(freight.coupon_grants(world), quotas["express-coupons"]))}
    merchants = [claim.merchant for claim in granted["express-coupons"]]
    coupons, with_coupon = freight.redeem(world, merchants)
    asking = {
        "service-fee-half": trade.service_fee(world),
        "oa-fee-waiver": trade.open_account(world),
        "easy-return-premium-half": trade.easy_return(world),
        "lc-financing-first-draw": trade.financing(world),
        "multimodal-reduction": freight.multimodal(world),
        "charter-5-off": freight.charter(world, with_coupon),
        "parcel-11-off": freight.parcel(world),
        "us-west-port-to-door": freight.port_to_door(world),
    }
    granted |= {offer: list(allocate(claims, quotas[offer])) for offer, claims in asking.items()}
    rows = [_row(offer, claim) for offer in sorted(granted) for claim in granted[offer]]
    by_offer = Counter({("express-coupons", *key): count for key, count in coupons.items()})
    return Result(rows, by_offer)


def _row(offer: str, claim: Claim) -> tuple[str, ...]:
    at = claim.at.replace(tzinfo=None).isoformat() + "Z"
    return (offer, claim.subject, claim.merchant, claim.status, f"{claim.amount:.2f}", claim.currency, at)
