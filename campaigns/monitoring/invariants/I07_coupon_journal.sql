-- The journal of a coupon has no gaps, contains only permitted transitions, and ends in the coupon's status, currency
-- and value.
WITH entries AS (
    SELECT e.*, lag(target) OVER moves AS reached, lead(id) OVER moves AS later
    FROM campaigns_journalentry e WINDOW moves AS (PARTITION BY grant_id, coupon_id ORDER BY id)
)
SELECT e.coupon_id AS coupon, e.id AS entry, e.source AS source, e.target AS target, 'gap before the entry' AS fault
FROM entries AS e WHERE e.coupon_id IS NOT NULL AND e.source <> coalesce(e.reached, '')
UNION ALL
SELECT e.coupon_id, e.id, e.source, e.target, 'transition not permitted'
FROM campaigns_journalentry e WHERE e.coupon_id IS NOT NULL AND e.source || '>' || e.target NOT IN (
    '>issued', 'issued>locked', 'issued>expired', 'issued>void', 'locked>issued', 'locked>redeemed',
    'locked>expired', 'locked>void', 'redeemed>issued', 'redeemed>expired')
UNION ALL
SELECT c.id, e.id, e.target, c.status, 'coupon differs from its last entry'
FROM campaigns_coupon c LEFT JOIN entries AS e ON e.coupon_id = c.id AND e.later IS NULL
WHERE e.id IS NULL OR e.target <> c.status OR e.currency <> c.currency
    OR round(e.amount * 100) <> round(c.value * 100)
