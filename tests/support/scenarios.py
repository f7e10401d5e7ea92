"""Offers and small marketplaces that several tests share."""

from campaigns.models import (
    Attachment,
    BandCounter,
    Coupon,
    Decision,
    Grant,
    Issuance,
    JournalEntry,
    MerchantQuota,
    Offer,
    Tag,
    TickRun,
)
from imports.models import ImportBatch
from tests.support.guards import unguarded
from tests.support.world import freight, merchant, offer, publish, receipt, trade

BUNDLE = (
    "{coupons: {count: 1, value: 25.00, currency: CNY, valid: {from: 2022-09-02 00:00:00, to: 2022-09-29 23:59:59},"
    " where: [{fact: service, is: express}]}}"
)


FIRST_SHIPMENT = "{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: shipped_at, happened: yes}]}}"


OVER_100 = (
    "{over_threshold: {height: 100.00, window: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59},"
    " where: [{fact: product, is: trade_assurance}]}}"
)


def coupon_offer(code: str = "c", **parts: str) -> str:
    """Offer: a coupon of CNY 25 for a merchant's first shipment. `parts` replace parts of its definition."""
    return offer(code, **{"subject": "merchant", "claim": FIRST_SHIPMENT, "benefit": BUNDLE, "settlement": "", **parts})


def request_offer(code: str = "c", *, until: str = "2022-09-29 23:59:59", **parts: str) -> str:
    """Offer that gives the merchant of a request a coupon: the price of one photo tool becomes 1.00 CNY."""
    bundle = (
        f"{{coupons: {{count: 1, for: service_order, price: 1.00, currency: CNY, valid: {{to: {until}}},"
        " where: [{fact: service, is: photo_tool}]}}"
    )
    usual = {
        "subject": "claim_request",
        "where": f"[{{fact: offer, is: {code}}}]",
        "claim": "{at: requested_at}",
        "benefit": bundle,
        "settlement": "",
    }
    return offer(code, **{**usual, **parts})


def threshold_offer() -> str:
    """Offer `half`: half the service fee of trade orders above a volume of 100.00 in September."""
    return offer(
        "half",
        subject="trade_order",
        claim=OVER_100,
        benefit="{fee: service_fee, percent: 50}",
        settlement="{at: completed_at, released_by: cancelled_at}",
    )


def small_world() -> None:
    """Record two merchants with eight freight orders and eight trade orders, and publish three offers for them."""
    for code in ("M1", "M2"):
        merchant(code)
    publish(offer("o", quota="{limit: 3, per_merchant: 2}") + coupon_offer() + threshold_offer())
    for n in range(1, 9):
        freight(
            f"F{n}",
            f"M{n % 2 + 1}",
            placed_at=f"0{n} 10:00",
            paid_at=f"0{n} 11:00",
            shipped_at=f"0{n} 12:00",
            use_coupon=n > 5,
            cancelled_at=f"0{n + 1} 11:00" if n in (1, 6) else None,
        )
        trade(f"T{n}", f"M{n % 2 + 1}", completed_at=f"1{n}")
        receipt(f"R{n}", f"T{n}", f"0{n} 10:30", amount=60)


def wipe() -> None:
    """Delete everything that was decided and mark all facts as unprocessed, as before the first tick."""
    with unguarded():
        for model in (JournalEntry, Attachment, Coupon, Grant, MerchantQuota, BandCounter, Decision, Tag, TickRun):
            model._default_manager.all().delete()
    Issuance.objects.update(planned=0, issued=0, spent_until=None)
    Offer.objects.update(
        places_taken=0,
        qualified_claims=0,
        claims_decided_until=None,
        grants_followed_until=None,
        instant_claims_decided_until=None,
        reevaluate_all=True,
    )
    ImportBatch.objects.update(processed=False)
