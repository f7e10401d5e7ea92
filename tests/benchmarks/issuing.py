"""Issue of coupons with their journal, against COPY of the same rows into the same tables."""

import io
from collections.abc import Sequence
from statistics import median
from typing import Any

from django.db import connection, transaction

from tests.benchmarks import facts
from tests.benchmarks.databases import Done, execute, fresh, options, own, timed, value
from tests.benchmarks.figures import exponent, ratio, say, timings, verdict

CODE = "benchmark-coupons"
EACH = 8
SOURCE = """
campaign: benchmark-coupons
names: {en: Coupons, zh: 优惠券}
zone: Asia/Shanghai
offers:
  - code: benchmark-coupons
    names: {en: Eight coupons, zh: 八张优惠券}
    subject: merchant
    where: all
    claim:
      nth: {number: 1, of: freight_orders, at: paid_at, where: [{fact: service, is: express}]}
    decided_at: 2022-10-15 00:00:00
    conditions: everyone
    benefit:
      coupons:
        count: 8
        value: 25.00
        currency: CNY
        valid: {from: 2022-10-15 00:00:00, to: 2022-11-30 23:59:59}
        where: [{fact: service, is: express}]
    quota: {per_merchant: 1}
"""
TABLES = {
    "campaigns_coupon": "id, code, offer_id, grant_id, number, merchant_id, status, value, face_value, currency, "
    "issued_at, valid_from, valid_until, replayed, order_no, order_kind, price",
    "campaigns_journalentry": "id, grant_id, coupon_id, "
    "offer_id, version_id, at, source, target, amount, currency, order_no, "
    "by, reason, recorded_at",
}


def promise(grants: int) -> None:
    """Create merchants, and a grant of eight coupons for each."""
    from campaigns.grants.steps import StateChange
    from campaigns.grants.transitions import NewGrant, award
    from campaigns.offers import published_offers, publishing
    from definitions import parser

    execute(
        "INSERT INTO merchants_merchant (code, name, name_en, country, category_l1, category_l2, logistics_partner, "
        "batch_id) SELECT 'M' || lpad(n::text, 7, '0'), '', '', 'CN', '', '', false, %s FROM generate_series(1, %s) n",
        [facts.batch(processed=True), grants],
    )
    publishing.publish(parser.read(SOURCE), source=SOURCE, at=facts.DECIDED, by="benchmark")
    offer = published_offers.find(CODE)
    assert offer.terms.bundle is not None
    worth = offer.terms.bundle.each * EACH
    step = StateChange("settled", facts.DECIDED, "settled at the claim")
    names = [f"M{n:07}" for n in range(1, grants + 1)]
    award([NewGrant(offer.row, name, name, worth, "CNY", "", [step], EACH) for name in names])
    execute("VACUUM ANALYZE")


def take_back() -> None:
    """Delete the coupons; grants and their entries remain."""
    execute("TRUNCATE campaigns_coupon, campaigns_attachment RESTART IDENTITY")
    execute("ALTER TABLE campaigns_journalentry DISABLE TRIGGER USER")
    execute("DELETE FROM campaigns_journalentry WHERE coupon_id IS NOT NULL")
    execute("ALTER TABLE campaigns_journalentry ENABLE TRIGGER USER")
    execute("UPDATE campaigns_issuance SET issued = 0")
    execute("VACUUM (FULL, ANALYZE) campaigns_journalentry")


def _kept() -> dict[str, bytes]:
    """Return the rows just written in the format of COPY."""
    kept = {}
    for table, columns in TABLES.items():
        only = " WHERE coupon_id IS NOT NULL" if "entry" in table else ""
        buffer = io.BytesIO()
        with connection.cursor() as cursor:
            raw: Any = cursor
            with raw.copy(f"COPY (SELECT {columns} FROM {table}{only} ORDER BY id) TO STDOUT (FORMAT BINARY)") as copy:
                for block in copy:
                    buffer.write(block)
        kept[table] = buffer.getvalue()
    return kept


@transaction.atomic
def _put_back(kept: dict[str, bytes]) -> None:
    for table, columns in TABLES.items():
        with connection.cursor() as cursor:
            raw: Any = cursor
            with raw.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                for start in range(0, len(kept[table]), 1 << 18):
                    copy.write(kept[table][start : start + (1 << 18)])


def both(grants: int, rounds: int) -> tuple[list[Done], list[float]]:
    """Measure issue and COPY of the same rows, in turns."""
    ours: list[Done] = []
    copied: list[float] = []
    with own(f"issuing_{grants}"):
        promise(grants)
        for _ in range(rounds):
            take_back()
            ours.append(fresh("issue", CODE))
            kept = _kept()
            take_back()
            copied.append(timed(lambda kept=kept: _put_back(kept)))  # type: ignore[misc]
            assert value("SELECT count(*) FROM campaigns_coupon") == grants * EACH
    return ours, copied


def report(coupons: int, ours: Sequence[float], copied: Sequence[float]) -> float:
    """Print the result of one size, with our rate as a part of COPY's."""
    timings(f"issued, {coupons:,}", coupons, ours, "coupons")
    timings("COPY of the same rows, prepared", coupons, copied, "coupons")
    found = ratio(ours, copied)
    verdict("rate against COPY", found, "at least 0.5", held=found >= 0.5)
    return found


def main() -> None:
    """Measure at two sizes: 24,000 and 240,000 coupons for --orders 1,000,000."""
    chosen = options(__doc__)
    sizes = (max(chosen.orders * 3 // 1_000, 10), max(chosen.orders * 3 // 100, 100))
    small, large = (both(grants, chosen.rounds) for grants in sizes)
    say("Coupons issued, each with an entry in the journal")
    for grants, (ours, copied) in zip(sizes, (small, large), strict=True):
        report(grants * EACH, [done.seconds for done in ours], copied)
    points = [
        (float(n), median(run.seconds for run in done)) for n, (done, _) in zip(sizes, (small, large), strict=True)
    ]
    found = exponent(points[0], points[1])
    verdict("exponent", found, "at most 1.15", held=found <= 1.15)
    say(f"  {'resident memory, MB':<34} {max(done.megabytes for done in large[0]):10.0f}")


if __name__ == "__main__":
    main()
