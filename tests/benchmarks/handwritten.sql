-- The same decisions, grants and journal as the engine writes for tiered.yaml, by hand in one statement. Right for data
-- without releases. Memberships and penalties are gathered into one range set a merchant, so that nothing is asked row
-- by row; ranks are drawn once within merchants and once in line.
WITH member AS (
    SELECT merchant_id, range_agg(tstzrange(starts_at, ends_at)) AS during FROM merchants_membership
    WHERE plan IN ('export_pass', 'global_pass', 'verified_supplier') GROUP BY merchant_id
), punished AS (
    SELECT merchant_id, range_agg(tstzrange(starts_at, ends_at)) AS during FROM merchants_penalty
    WHERE kind IN ('embargo', 'prohibited_goods') GROUP BY merchant_id
), judged AS MATERIALIZED (
    SELECT o.order_no, o.merchant_id, o.paid_at, o.base_freight, o.currency,
        CASE WHEN o.line IN ('us-matson-select', 'us-fastship-economy', 'eu-truck-ddp-select', 'eu-rail-ddp-economy',
                             '3c-select', 'ems-economy') THEN 0 ELSE 1 END
        + CASE WHEN o.paid_at >= '2022-09-01 00:00+08' AND o.paid_at < '2022-11-01 00:00+08' THEN 0 ELSE 2 END
        + CASE WHEN m.country = 'CN' THEN 0 ELSE 4 END
        + CASE WHEN member.during @> o.paid_at THEN 0 ELSE 8 END
        + CASE WHEN punished.during @> o.paid_at THEN 16 ELSE 0 END
        + CASE WHEN o.cancelled_at <= o.paid_at THEN 32 ELSE 0 END
        + CASE WHEN o.currency = 'CNY' THEN 0 ELSE 64 END
        + CASE WHEN o.base_freight >= 500 THEN 0 ELSE 128 END AS failed
    FROM logistics_freightorder o
    JOIN merchants_merchant m ON m.code = o.merchant_id
    LEFT JOIN member ON member.merchant_id = o.merchant_id
    LEFT JOIN punished ON punished.merchant_id = o.merchant_id
    WHERE o.paid_at <= %(at)s
), own AS (
    SELECT *, row_number() OVER (PARTITION BY merchant_id ORDER BY paid_at, order_no) AS mine
    FROM judged WHERE failed = 0
), lined AS MATERIALIZED (
    SELECT *, row_number() OVER line AS place, count(*) FILTER (WHERE mine <= %(cap)s) OVER line AS seat
    FROM own WINDOW line AS (ORDER BY paid_at, order_no ROWS UNBOUNDED PRECEDING)
), capped AS (
    SELECT merchant_id FROM lined WHERE mine = %(cap)s AND seat <= %(limit)s
), decided AS (
    INSERT INTO campaigns_decision (offer_id, subject, merchant_id, version_id, claimed_at, outcome, failed, queue_position)
    SELECT %(offer)s, order_no, merchant_id, %(version)s, paid_at, 2, failed, NULL FROM judged WHERE failed > 0
    UNION ALL
    SELECT %(offer)s, order_no, merchant_id, %(version)s, paid_at,
        CASE WHEN mine <= %(cap)s AND seat <= %(limit)s THEN 1
             WHEN mine > %(cap)s AND capped.merchant_id IS NOT NULL THEN 4 ELSE 5 END, 0, place
    FROM lined LEFT JOIN capped USING (merchant_id)
), granted AS (
    INSERT INTO campaigns_grant (offer_id, version_id, subject, merchant_id, status, amount, currency, fee, claimed_at,
        coupons, review, follow_again)
    SELECT %(offer)s, %(version)s, order_no, merchant_id, 'settled',
        CASE WHEN base_freight >= 3000 THEN 300.00 WHEN base_freight >= 1000 THEN 100.00 ELSE 50.00 END, currency,
        'freight', paid_at, 0, '', false
    FROM lined WHERE mine <= %(cap)s AND seat <= %(limit)s
    RETURNING id, claimed_at, amount, currency
)
INSERT INTO campaigns_journalentry (grant_id, offer_id, version_id, at, source, target, amount, currency, order_no, by, reason)
SELECT id, %(offer)s, %(version)s, claimed_at, '', 'settled', amount, currency, '', 'engine', 'settled at the claim'
FROM granted
