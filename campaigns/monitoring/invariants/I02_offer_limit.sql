-- The limit of an offer holds. Each grant has a seat of its own from 1 to the limit in force when it was granted, and
-- none was granted when all places were taken. Only a release frees a place, so every grant that is not released
-- counts for each later one.
SELECT o.code AS offer, '' AS subject, 'places taken beyond the limit' AS fault
FROM campaigns_offer o WHERE o.used < 0 OR o.used > o."limit"
UNION ALL
SELECT o.code, g.subject, 'seat beyond the limit' FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.seat < 1 OR g.seat > g."limit" OR (g.seat IS NULL) <> (g."limit" IS NULL)
UNION ALL
SELECT o.code, min(g.subject), 'seat taken twice' FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.status <> 'released' AND g.seat IS NOT NULL GROUP BY o.code, g.seat HAVING count(*) > 1
UNION ALL
SELECT o.code, g.subject, 'granted when all places were taken'
FROM (SELECT c.*, row_number() OVER (PARTITION BY offer_id ORDER BY id) AS n
      FROM campaigns_grant c WHERE status <> 'released') AS g
JOIN campaigns_offer o ON o.id = g.offer_id WHERE g.n > g."limit"
