-- An allowance is never overspent: what is used is the sum of what its uses took, less what came back, at no instant
-- more than its units; the journal agrees. A use is accepted only in the period of its allowance, after it was
-- collected.
WITH spent AS (
    SELECT merchant_id, document_id, period, sum(taken - returned) AS used
    FROM campaigns_usagedecision WHERE document_id IS NOT NULL GROUP BY merchant_id, document_id, period
), written AS (
    SELECT merchant_id, document_id, period,
        sum(CASE kind WHEN 'used' THEN units WHEN 'returned' THEN -units ELSE 0 END) AS used,
        sum(CASE kind WHEN 'collected' THEN units ELSE 0 END) AS collected
    FROM campaigns_allowanceentry GROUP BY merchant_id, document_id, period
), moves AS (
    SELECT merchant_id, document_id, period, used_at AS at, 1 AS turn, taken AS units
    FROM campaigns_usagedecision WHERE document_id IS NOT NULL
    UNION ALL
    SELECT merchant_id, document_id, period, returned_at, CASE WHEN returned_at > used_at THEN 0 ELSE 2 END, -returned
    FROM campaigns_usagedecision WHERE returned_at IS NOT NULL
), level AS (
    SELECT merchant_id, document_id, period, at,
        sum(units) OVER (PARTITION BY merchant_id, document_id, period ORDER BY at, turn) AS used
    FROM moves
)
SELECT a.merchant_id AS merchant, a.document_id AS allowance, a.period AS period, 'used beyond the units' AS fault
FROM campaigns_allowance a WHERE a.used < 0 OR a.used > a.units
UNION ALL
SELECT a.merchant_id, a.document_id, a.period, 'used differs from the uses'
FROM campaigns_allowance a LEFT JOIN spent s
    ON s.merchant_id = a.merchant_id AND s.document_id = a.document_id AND s.period = a.period
WHERE a.used <> coalesce(s.used, 0)
UNION ALL
SELECT a.merchant_id, a.document_id, a.period, 'differs from the journal'
FROM campaigns_allowance a LEFT JOIN written w
    ON w.merchant_id = a.merchant_id AND w.document_id = a.document_id AND w.period = a.period
WHERE a.used <> coalesce(w.used, 0) OR (a.request_no <> '' AND a.units <> coalesce(w.collected, 0))
UNION ALL
SELECT d.merchant_id, d.document_id, d.period, 'accepted without the allowance: ' || d.usage_id
FROM campaigns_usagedecision d LEFT JOIN campaigns_allowance a
    ON a.merchant_id = d.merchant_id AND a.document_id = d.document_id AND a.period = d.period
WHERE d.document_id IS NOT NULL
    AND (a.id IS NULL OR d.used_at < a.starts_at OR d.used_at >= a.ends_at OR d.used_at < a.collected_at)
UNION ALL
SELECT l.merchant_id, l.document_id, l.period, 'more used at once than there are units'
FROM level l JOIN campaigns_allowance a
    ON a.merchant_id = l.merchant_id AND a.document_id = l.document_id AND a.period = l.period
WHERE l.used > a.units
