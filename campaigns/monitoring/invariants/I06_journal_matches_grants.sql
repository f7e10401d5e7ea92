-- The journal agrees with the grants. For each grant, state and currency: entries into the state, less entries out of
-- it, less the grant itself if it is in that state, come to nothing, in money and in number.
SELECT b.id AS "grant", b.state AS state, b.currency AS currency, sum(b.cents) AS cents, sum(b.n) AS number
FROM (
    SELECT grant_id AS id, target AS state, currency, round(amount * 100) AS cents, 1 AS n
    FROM campaigns_journalentry WHERE grant_id IS NOT NULL
    UNION ALL
    SELECT grant_id, source, currency, -round(amount * 100), -1
    FROM campaigns_journalentry WHERE grant_id IS NOT NULL AND source <> ''
    UNION ALL
    SELECT id, status, currency, -round(amount * 100), -1 FROM campaigns_grant
) AS b
GROUP BY b.id, b.state, b.currency HAVING sum(b.cents) <> 0 OR sum(b.n) <> 0
