"""Small worlds: facts and campaigns written in the test, and the results of the engine as plain values.

Instants are UTC and short: `t("05 10:00")` is 10:00 on 5 September 2022. Definitions here are in UTC too, so that
every expected value can be worked out by eye.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model

from campaigns.engine import ticker
from campaigns.models import (
    Allowance,
    AllowanceEntry,
    Attachment,
    BandCounter,
    Coupon,
    Decision,
    Grant,
    JournalEntry,
    MerchantQuota,
    Offer,
    Tag,
    UsageDecision,
    Version,
)
from campaigns.offers import publishing
from definitions import parser
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Membership, Merchant
from ratings.models import Rating
from trade.models import FinancingDraw, Receipt, TradeOrder

M = TypeVar("M", bound=Model)
PUBLISHED = datetime(2022, 8, 1, tzinfo=UTC)
ZERO = Decimal("0.00")


def t(text: str) -> datetime:
    """Return a UTC instant: `05 10:00` in September 2022, `10-05 10:00` in 2022, or a full date. Default: 00:00."""
    day, _, clock = text.partition(" ")
    day = {2: f"2022-09-{day}", 5: f"2022-{day}"}.get(len(day), day)
    return datetime.fromisoformat(f"{day} {clock or '00:00'}").replace(tzinfo=UTC)


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    instants = {name for name in fields if name.endswith("_at") and isinstance(fields[name], str)}
    return {name: t(value) if name in instants else value for name, value in fields.items()}


def batch() -> ImportBatch:
    """Create an import that no tick has processed."""
    return ImportBatch.objects.create(source="test", rows=1, added=1)


def tell(model: type[M], **fields: Any) -> M:
    """Record a fact by an import of its own."""
    return model._default_manager.create(batch=batch(), **_values(fields))


def correct(model: type[Model], pk: Any, **fields: Any) -> None:
    """Correct a fact by another import."""
    assert model._default_manager.filter(pk=pk).update(batch=batch(), **_values(fields)) == 1


def merchant(code: str = "M1", *, country: str = "CN", member: bool = True, **fields: Any) -> Merchant:
    """Record a merchant: in mainland China and a member, unless `fields` say otherwise."""
    row = tell(Merchant, code=code, country=country, **fields)
    if member:
        tell(Membership, merchant=row, plan="global_pass", starts_at="2020-01-01")
    return row


def freight(order_no: str, of: str = "M1", **fields: Any) -> FreightOrder:
    """Record a freight order: express on a charter line for 1,000.00 CNY, unless `fields` say otherwise."""
    usual = {"service": "express", "line": "us-charter-select", "base_freight": Decimal(1000), "currency": "CNY"}
    return tell(FreightOrder, order_no=order_no, merchant_id=of, **{**usual, **fields})


def trade(order_no: str, of: str = "M1", **fields: Any) -> TradeOrder:
    """Record a trade order: self-operated, with a service fee of 100.00 USD, unless `fields` say otherwise."""
    usual = {
        "product": "trade_assurance",
        "export_mode": "self_operated",
        "amount_usd": Decimal(1000),
        "service_fee_usd": Decimal(100),
    }
    return tell(TradeOrder, order_no=order_no, merchant_id=of, **{**usual, **fields})


def receipt(receipt_no: str, order_no: str, booked_at: str | None, amount: int = 1000, **fields: Any) -> Receipt:
    """Record a receipt: a first payment, unless `fields` say otherwise."""
    usual = {"kind": "first", "amount_usd": Decimal(amount), "booked_at": booked_at}
    return tell(Receipt, receipt_no=receipt_no, order_id=order_no, **{**usual, **fields})


def draw(draw_no: str, drawn_at: str, of: str = "M1", **fields: Any) -> FinancingDraw:
    """Record a draw on a letter of credit, with a fee of 100.00 USD, unless `fields` say otherwise."""
    usual = {"product": "lc_post_document", "fee": Decimal(100), "currency": "USD"}
    return tell(FinancingDraw, draw_no=draw_no, merchant_id=of, drawn_at=drawn_at, **{**usual, **fields})


HEADING = "campaign: trial\nnames: {en: Trial, zh: 试}\nzone: UTC\n"


def publish(text: str, *, at: str | datetime = PUBLISHED, heading: str = HEADING) -> list[Version]:
    """Publish offers, each written as a list item, in a campaign `trial` in UTC."""
    source = f"{heading}offers:\n{text}"
    when = t(at) if isinstance(at, str) else at
    return publishing.publish(parser.read(source), source=source, at=when, by="test")


def offer(code: str, **parts: str) -> str:
    """Return an offer as YAML: 10% off freight, claimed when paid, for mainland China, unless `parts` say otherwise."""
    usual = {
        "subject": "freight_order",
        "where": "all",
        "claim": "{at: paid_at}",
        "conditions": "[{fact: merchant.country, is: CN}]",
        "benefit": "{fee: freight, percent: 10}",
        "settlement": "{released_by: cancelled_at, released_after_settlement: yes}",
    }
    lines = [f"  - code: {code}", f"    names: {{en: {code}, zh: {code}}}"]
    return "\n".join([*lines, *(f"    {name}: {value}" for name, value in {**usual, **parts}.items() if value), ""])


def tick(at: str | datetime) -> None:
    """Bring everything up to an instant."""
    ticker.tick(at=t(at) if isinstance(at, str) else at)


# Results, as plain values to compare.


def short(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%m-%d %H:%M:%S.%f").removesuffix(".000000").removesuffix(":00") if at else ""


def grants() -> dict[tuple[str, str], str]:
    """Return status and amount of each grant, as `settled 100.00 USD`, by offer and subject."""
    rows = Grant.objects.order_by("pk").values_list("offer__code", "subject", "status", "amount", "currency")
    return {(offer_, subject): f"{status} {amount} {currency}" for offer_, subject, status, amount, currency in rows}


def states(code: str) -> dict[str, str]:
    """Return the status of the latest grant of each subject of one offer."""
    return dict(Grant.objects.filter(offer__code=code).order_by("pk").values_list("subject", "status"))


def outcomes(code: str) -> dict[str, str]:
    """Return the outcome of each claim of one offer, by subject."""
    rows = Decision.objects.filter(offer__code=code).order_by("claimed_at", "subject")
    return {row.subject: Decision.Outcome(row.outcome).name.lower() for row in rows}


def coupons(**of: Any) -> dict[str, int]:
    """Return the number of coupons in each status."""
    found: dict[str, int] = {}
    for status in Coupon.objects.filter(**of).values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def review(subject: str) -> str:
    """Return the reason for the review of a subject's grant; empty without one."""
    return Grant.objects.filter(subject=subject).latest("pk").review


def journal(**of: Any) -> list[str]:
    """Return the journal entries of grants in the order of writing, as `subject: locked → settled`."""
    rows = JournalEntry.objects.filter(grant__isnull=False, **of).order_by("pk").select_related("grant")
    return [f"{row.grant.subject}: {row.source or '·'} → {row.target}" for row in rows if row.grant]


def used(code: str) -> int:
    """Return the places taken of one offer, from its counter."""
    return Offer.objects.get(code=code).places_taken


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that was decided, without keys and codes that differ between runs."""
    on_grants = JournalEntry.objects.filter(grant__isnull=False).values_list(
        "grant__offer__code", "grant__subject", "at", "source", "target", "amount", "currency", "by", "reason"
    )
    on_coupons = JournalEntry.objects.filter(coupon__isnull=False).values_list(
        "coupon__merchant", "coupon__number", "at", "source", "target", "amount", "currency", "order_no", "by"
    )
    return {
        "grants": sorted(
            Grant.objects.values_list(
                "offer__code", "subject", "merchant", "status", "amount", "currency", "claimed_at",
                "coupons", "review",
            )
        ),
        "ended": sorted(Grant.objects.exclude(ended_at=None).values_list("offer__code", "subject", "ended_at")),
        "decisions": sorted(
            Decision.objects.values_list("offer__code", "subject", "merchant", "claimed_at", "outcome", "failed")
        ),
        "queue": sorted(
            Decision.objects.exclude(queue_position=None).values_list("offer__code", "subject", "queue_position")
        ),
        "tags": sorted(Tag.objects.values_list("offer__code", "subject", "kind", "tagged_at")),
        "coupons": sorted(
            Coupon.objects.values_list("offer__code", "merchant", "number", "status", "value", "issued_at")
        ),
        "on orders": sorted(Coupon.objects.exclude(order_no=None).values_list("order_no", "merchant", "status")),
        "asked": sorted(Attachment.objects.values_list("order_no", "merchant", "coupon__number")),
        "quotas": sorted(
            MerchantQuota.objects.exclude(places_taken=0).values_list("offer__code", "merchant", "places_taken")
        ),
        "bands": sorted(
            BandCounter.objects.exclude(taken=0).values_list("band__offer__code", "band__signature", "key", "taken")
        ),
        "used": sorted(Offer.objects.values_list("code", "places_taken", "qualified_claims")),
        "moves": sorted(on_grants),
        "coupon moves": sorted(on_coupons),
    }  # fmt: skip


def rated_and_used() -> dict[str, list[tuple[Any, ...]]]:
    """Return all ratings, and all that was decided on allowances, as `everything` does."""
    rating = ("scorecard", "series", "period", "subject", "merchant", "level", "score", "starts_at", "ends_at")
    entry = ("document__code", "merchant", "period", "kind", "units", "reference", "at", "by", "reason")
    return {
        "ratings": sorted(Rating.objects.values_list(*rating)),
        "uses": sorted(
            UsageDecision.objects.values_list(
                "usage", "merchant", "result", "document__code", "period", "taken", "returned", "returned_at"
            )
        ),
        "allowances": sorted(
            Allowance.objects.values_list("document__code", "merchant", "period", "used", "units", "collected_at")
        ),
        "allowance journal": sorted(AllowanceEntry.objects.values_list(*entry)),
    }
