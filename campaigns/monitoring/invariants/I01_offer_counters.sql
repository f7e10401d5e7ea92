-- The counters of an offer agree with its rows: places taken with the grants that are not released, also by merchant
-- where the offer limits those; the counters of bands with what these grants take from them, which is a grant or its
-- amount in hundredths; the number of qualified claims with the highest queue position of a decision.
SELECT o.code AS offer, 'places taken' AS counter, o.places_taken AS stored, count(g.id) AS found
FROM campaigns_offer o LEFT JOIN campaigns_grant g ON g.offer_id = o.id AND g.status <> 'released'
GROUP BY o.id, o.code, o.places_taken HAVING o.places_taken <> count(g.id)
UNION ALL
SELECT o.code, 'places taken by ' || c.merchant_id, sum(c.stored), sum(c.found)
FROM (
    SELECT offer_id, merchant_id, places_taken AS stored, 0 AS found FROM campaigns_merchantquota
    UNION ALL
    SELECT offer_id, merchant_id, 0, 1 FROM campaigns_grant WHERE status <> 'released'
) AS c JOIN campaigns_offer o ON o.id = c.offer_id WHERE o.limit_per_merchant IS NOT NULL
GROUP BY o.code, c.merchant_id HAVING sum(c.stored) <> sum(c.found)
UNION ALL
SELECT o.code, 'qualified claims', o.qualified_claims, max(d.queue_position)
FROM campaigns_offer o JOIN campaigns_decision d ON d.offer_id = o.id
GROUP BY o.id, o.code, o.qualified_claims HAVING o.qualified_claims < max(d.queue_position)
UNION ALL
SELECT o.code, 'band ' || b.signature || ' ' || c.key, sum(c.stored), sum(c.found)
FROM (
    SELECT band_id, key, taken AS stored, 0 AS found FROM campaigns_bandcounter
    UNION ALL
    SELECT q.id, substr(u.key, length(CAST(q.id AS text)) + 2), 0, CAST(u.value AS bigint)
    FROM campaigns_grant g CROSS JOIN {units_of_grant} AS u
    JOIN campaigns_quotaband q ON q.offer_id = g.offer_id AND u.key LIKE CAST(q.id AS text) || ':%'
    WHERE g.status <> 'released'
) AS c JOIN campaigns_quotaband b ON b.id = c.band_id JOIN campaigns_offer o ON o.id = b.offer_id
GROUP BY o.code, b.signature, c.key HAVING sum(c.stored) <> sum(c.found)
UNION ALL
SELECT o.code, 'taken by ' || g.subject || ' from ' || q.signature, CAST(u.value AS bigint),
    CASE WHEN q.signature LIKE 'amount %' THEN CAST(round(g.amount * 100) AS bigint) ELSE 1 END
FROM campaigns_grant g CROSS JOIN {units_of_grant} AS u
JOIN campaigns_quotaband q ON q.offer_id = g.offer_id AND u.key LIKE CAST(q.id AS text) || ':%'
JOIN campaigns_offer o ON o.id = g.offer_id
WHERE CAST(u.value AS bigint) <>
    CASE WHEN q.signature LIKE 'amount %' THEN CAST(round(g.amount * 100) AS bigint) ELSE 1 END
