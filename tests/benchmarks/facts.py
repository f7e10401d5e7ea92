"""Seeded facts for the benchmarks, the offer they are decided by, and the way back to before it was decided."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.databases import execute, value

HERE = Path(__file__).resolve().parent
OFFER = "benchmark-tiers"
DECIDED = datetime(2022, 10, 15, tzinfo=UTC)  # after every generated instant
DERIVED = (
    "campaigns_decision campaigns_grant campaigns_entry campaigns_coupon campaigns_attachment campaigns_tag "
    "campaigns_run"
).split()


def after(minutes: int) -> str:
    """So many minutes after all facts, as the command line writes it."""
    return (DECIDED + timedelta(minutes=minutes)).isoformat()


def batch(*, absorbed: bool = False) -> int:
    """A new batch that facts can name."""
    return int(
        value(
            "INSERT INTO merchants_batch (source, digest, rows, added, changed, future, absorbed) "
            "VALUES ('benchmark', '', 0, 0, 0, 0, %s) RETURNING id",
            [absorbed],
        )
    )


def generate(orders: int) -> None:
    """Fill the empty fact tables: one merchant for fifty orders. The same at every call."""
    from logistics.files import FREIGHT_ORDERS
    from merchants.intake import staging

    sizes = {"orders": orders, "merchants": max(orders // 50, 1), "batch": batch()}
    with staging.filling(FREIGHT_ORDERS, orders):
        for statement in (HERE / "facts.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                execute(statement, sizes)
    execute("VACUUM ANALYZE")


def publish(orders: int) -> None:
    """Publish the benchmark's offer, with a limit that a twentieth of the orders use up."""
    from campaigns import offers
    from campaigns.definition import reading

    source = (HERE / "tiered.yaml").read_text(encoding="utf-8")
    text = reading.read(source, {OFFER: {"limit": max(orders // 20, 1)}})
    offers.publish(text, source=source, at=DECIDED, by="benchmark")


def forget() -> None:
    """Back to before anything was decided."""
    execute(f"TRUNCATE {', '.join(DERIVED)} RESTART IDENTITY CASCADE")
    execute("UPDATE campaigns_offer SET used = 0, line = 0, decided_until = NULL, moved_until = NULL, ask_all = true")
    execute("UPDATE campaigns_issuance SET planned = 0, issued = 0, spent_until = NULL")
    execute("UPDATE merchants_batch SET absorbed = false")


WRITTEN = {
    "campaigns_decision": "offer_id, subject, merchant_id, version_id, claimed_at, outcome, failed, place",
    "campaigns_grant": "offer_id, version_id, subject, merchant_id, status, amount, currency, fee, claimed_at, "
    'ended_at, seat, "limit", merchant_seat, cap, coupons, review, kept, look_again',
    "campaigns_entry": "offer_id, version_id, at, source, target, amount, currency, order_no, by, reason",
}


def written() -> dict[str, tuple[int, int]]:
    """Count and sum of hashes of the rows of each table that deciding writes: equal where the rows are."""
    return {
        table: (
            int(value(f"SELECT count(*) FROM {table}")),
            int(value(f"SELECT coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM {table}")),
        )
        for table, columns in WRITTEN.items()
    }


def outcomes() -> dict[str, int]:
    """How many decisions of each kind there are."""
    from campaigns.models import Decision

    names = Decision.Outcome
    return {n.name.lower(): Decision.objects.filter(outcome=n).count() for n in names}
