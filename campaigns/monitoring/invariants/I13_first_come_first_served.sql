-- First come, first served: no claim was refused for want of a place that was free and went to a later claim.
--
-- `place` numbers the claims that met the conditions, in the order in which they were decided; late claims come last.
-- Each grant is compared with the last refusal before it under the same version, hence under the same limit. Its seat
-- was free for the refused claim in two cases: the seat had never been taken; or its previous grant had been released
-- by the instant of that claim, and this was known, because the release was journalled before the grant of an earlier
-- winner. A claim that an operator reopened has lost its place and does not count.
--
-- Window functions instead of self-joins: PostgreSQL estimates those to be small, and chooses nested loops.
WITH line AS (
    SELECT d.offer_id, d.subject, d.version_id, d.claimed_at, d.place, h.id, h.seat, h.previous,
        max(h.id) OVER before AS winner, count(CASE WHEN d.outcome = 5 THEN 1 END) OVER before AS refusals
    FROM campaigns_decision d LEFT JOIN (
        SELECT g.id, g.offer_id, g.subject, g.seat,
            lag(g.id) OVER (PARTITION BY g.offer_id, g.seat ORDER BY g.id) AS previous,
            lead(g.id) OVER (PARTITION BY g.offer_id, g.subject ORDER BY g.id) AS later
        FROM campaigns_grant g WHERE g.seat IS NOT NULL
    ) AS h ON h.offer_id = d.offer_id AND h.subject = d.subject AND h.later IS NULL AND d.outcome = 1
    WHERE d.place IS NOT NULL WINDOW before AS (PARTITION BY d.offer_id ORDER BY d.place)
), behind AS (
    SELECT l.*, first_value(subject) OVER refusal AS refused, first_value(claimed_at) OVER refusal AS refused_at,
        first_value(version_id) OVER refusal AS refused_under, first_value(winner) OVER refusal AS known
    FROM line l WINDOW refusal AS (PARTITION BY offer_id, refusals ORDER BY place)
)
SELECT o.code AS offer, b.refused AS refused, b.subject AS winner, b.seat AS seat
FROM behind b JOIN campaigns_offer o ON o.id = b.offer_id LEFT JOIN campaigns_grant p ON p.id = b.previous
WHERE b.id IS NOT NULL AND b.refusals > 0 AND b.refused_under = b.version_id AND (b.previous IS NULL OR (
    p.status = 'released' AND p.ended_at <= b.refused_at
    AND (SELECT max(e.id) FROM campaigns_journalentry e WHERE e.grant_id = p.id AND e.target = 'released')
      < (SELECT min(e.id) FROM campaigns_journalentry e WHERE e.grant_id = b.known)))
UNION ALL
SELECT o.code, min(d.subject), max(d.subject), d.place
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id
WHERE d.place IS NOT NULL GROUP BY o.code, d.place HAVING count(*) > 1
