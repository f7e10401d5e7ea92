-- First come, first served: no claim was refused for want of a place while one was free.
--
-- `queue_position` numbers the claims that met the conditions, in the order in which they were decided; late claims come
-- last. Grants get their keys in that order, so those that a refused claim found are the grants up to the latest winner
-- before it in the queue. Places released by the instant of the claim had come back if this was known, because the
-- release was journalled before the grant of that winner. A reopened grant has lost its queue position: it counts as
-- taken. Of the refusals after one winner under one version, the latest claim is enough.
WITH quota AS MATERIALIZED (
    SELECT id, CAST(definition -> 'quota' ->> 'limit' AS integer) AS places,
        CAST(definition -> 'quota' ->> 'per_merchant' AS integer) AS per_merchant
    FROM campaigns_version
), given AS (
    SELECT g.id, g.offer_id, g.subject, row_number() OVER (PARTITION BY g.offer_id ORDER BY g.id) AS n,
        lead(g.id) OVER (PARTITION BY g.offer_id, g.subject ORDER BY g.id) AS later
    FROM campaigns_grant g WHERE g.offer_id IN (SELECT d.offer_id FROM campaigns_decision d WHERE d.outcome = 5)
), queue AS (
    SELECT d.offer_id, d.subject, d.version_id, d.claimed_at, d.outcome,
        max(h.id) OVER (PARTITION BY d.offer_id ORDER BY d.queue_position) AS winner
    FROM campaigns_decision d LEFT JOIN given h
        ON h.offer_id = d.offer_id AND h.subject = d.subject AND h.later IS NULL AND d.outcome = 1
    WHERE d.queue_position IS NOT NULL
), refused AS (
    SELECT offer_id, version_id, winner, max(claimed_at) AS at, min(subject) AS subject
    FROM queue WHERE outcome = 5 GROUP BY offer_id, version_id, winner
), reopened AS MATERIALIZED (
    SELECT h.offer_id, h.id FROM given h LEFT JOIN campaigns_decision d
        ON d.offer_id = h.offer_id AND d.subject = h.subject AND d.outcome = 1
    WHERE h.later IS NOT NULL OR d.id IS NULL
), released AS MATERIALIZED (
    SELECT g.id, g.offer_id, g.ended_at, max(e.id) AS entry
    FROM campaigns_grant g JOIN campaigns_journalentry e ON e.grant_id = g.id AND e.target = 'released'
    WHERE g.status = 'released' GROUP BY g.id, g.offer_id, g.ended_at
)
SELECT o.code AS offer, r.subject AS refused, r.at AS claimed_by, q.places AS places
FROM refused r JOIN campaigns_offer o ON o.id = r.offer_id JOIN quota q ON q.id = r.version_id
LEFT JOIN given w ON w.id = r.winner
WHERE coalesce(w.n, 0)
    + (SELECT count(*) FROM reopened h WHERE h.offer_id = r.offer_id AND h.id > coalesce(r.winner, 0))
    - (SELECT count(*) FROM released p WHERE p.offer_id = r.offer_id AND p.id <= r.winner AND p.ended_at <= r.at
        AND p.entry < (SELECT min(e.id) FROM campaigns_journalentry e WHERE e.grant_id = r.winner)) < q.places
UNION ALL
SELECT o.code, min(d.subject), max(d.claimed_at), d.queue_position
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id
WHERE d.queue_position IS NOT NULL GROUP BY o.code, d.queue_position HAVING count(*) > 1
