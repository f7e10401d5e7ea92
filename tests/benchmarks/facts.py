"""Generated records for the benchmarks, their offer, and the removal of everything that was decided."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.databases import execute, value
from tests.support.guards import unguarded

HERE = Path(__file__).resolve().parent
OFFER = "benchmark-tiers"
DECIDED = datetime(2022, 10, 15, tzinfo=UTC)  # after every generated instant
DERIVED = (
    "campaigns_decision campaigns_grant campaigns_merchantquota campaigns_bandcounter campaigns_journalentry "
    "campaigns_coupon campaigns_attachment campaigns_tag campaigns_tickrun"
).split()


def after(minutes: int) -> str:
    """Return the instant so many minutes after all records, as ISO 8601."""
    return (DECIDED + timedelta(minutes=minutes)).isoformat()


def batch(*, processed: bool = False) -> int:
    """Create an import batch."""
    return int(
        value(
            "INSERT INTO imports_importbatch (source, digest, rows, added, changed, future, processed) "
            "VALUES ('benchmark', '', 0, 0, 0, 0, %s) RETURNING id",
            [processed],
        )
    )


def generate(orders: int) -> None:
    """Fill the empty tables with the same records each time: one merchant for fifty orders."""
    from imports import first_load
    from logistics.import_schemas import FREIGHT_ORDERS

    sizes = {"orders": orders, "merchants": max(orders // 50, 1), "batch": batch()}
    with first_load.fast_first_load(FREIGHT_ORDERS, orders):
        for statement in (HERE / "facts.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                execute(statement, sizes)
    execute("VACUUM ANALYZE")


def publish(orders: int) -> None:
    """Publish the benchmark's offer, with a limit of a twentieth of the orders."""
    from campaigns.offers import publishing
    from definitions import parser

    source = (HERE / "tiered.yaml").read_text(encoding="utf-8")
    text = parser.read(source, {OFFER: {"limit": max(orders // 20, 1)}})
    publishing.publish(text, source=source, at=DECIDED, by="benchmark")


def forget() -> None:
    """Delete everything that was decided."""
    with unguarded():
        execute(f"TRUNCATE {', '.join(DERIVED)} RESTART IDENTITY CASCADE")
    execute(
        "UPDATE campaigns_offer SET places_taken = 0, qualified_claims = 0, claims_decided_until = NULL, "
        "grants_followed_until = NULL, reevaluate_all = true"
    )
    execute("UPDATE campaigns_issuance SET planned = 0, issued = 0, spent_until = NULL")
    execute("UPDATE imports_importbatch SET processed = false")


WRITTEN = {
    "campaigns_decision": "offer_id, subject, merchant_id, version_id, claimed_at, outcome, failed, queue_position",
    "campaigns_grant": "offer_id, version_id, subject, merchant_id, status, amount, currency, fee, claimed_at, "
    "ended_at, coupons, review, differences, accepted, follow_again",
    "campaigns_journalentry": "offer_id, version_id, at, source, target, amount, currency, order_no, by, reason",
}


def written() -> dict[str, tuple[int, int]]:
    """Return count and sum of hashes of the rows of each table that a tick writes, to compare results."""
    return {
        table: (
            int(value(f"SELECT count(*) FROM {table}")),
            int(value(f"SELECT coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM {table}")),
        )
        for table, columns in WRITTEN.items()
    }


def outcomes() -> dict[str, int]:
    """Return the number of decisions by outcome."""
    from campaigns.models import Decision

    names = Decision.Outcome
    return {n.name.lower(): Decision.objects.filter(outcome=n).count() for n in names}
