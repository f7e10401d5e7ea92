-- A grant makes only permitted transitions, ends at most once, and its `ended_at` is the instant at which it ended.
-- An entry from a state to itself is permitted: an operator accepted the grant as it is.
SELECT e.grant_id AS "grant", e.id AS entry, e.source AS source, e.target AS target, 'transition not permitted' AS fault
FROM campaigns_journalentry e WHERE e.grant_id IS NOT NULL AND NOT (e.source = e.target AND e.by <> 'engine')
    AND e.source || '>' || e.target NOT IN (
    '>reserved', '>locked', '>settled', 'reserved>locked', 'reserved>settled', 'reserved>released',
    'reserved>forfeited', 'reserved>revoked', 'locked>settled', 'locked>released', 'locked>forfeited',
    'locked>revoked', 'settled>released', 'settled>revoked')
UNION ALL
SELECT e.grant_id, min(e.id), '', '', 'ended more than once' FROM campaigns_journalentry e
WHERE e.grant_id IS NOT NULL AND e.source <> e.target AND e.target IN ('released', 'forfeited', 'revoked')
GROUP BY e.grant_id HAVING count(*) > 1
UNION ALL
SELECT g.id, e.id, e.target, g.status, 'ended at another time' FROM campaigns_grant g
LEFT JOIN campaigns_journalentry e
    ON e.grant_id = g.id AND e.source <> e.target AND e.target IN ('released', 'forfeited', 'revoked')
WHERE (g.ended_at IS NULL) <> (g.status IN ('reserved', 'locked', 'settled')) OR g.ended_at <> e.at
    OR (g.ended_at IS NULL) <> (e.id IS NULL)
