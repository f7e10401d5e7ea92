-- The limit per merchant holds: as the limit of an offer (I02), with the seats of each merchant.
SELECT o.code AS offer, g.merchant_id AS merchant, g.subject AS subject, 'seat beyond the limit per merchant' AS fault
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.merchant_seat < 1 OR g.merchant_seat > g.cap OR (g.merchant_seat IS NULL) <> (g.cap IS NULL)
UNION ALL
SELECT o.code, g.merchant_id, min(g.subject), 'seat taken twice'
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.status <> 'released' AND g.merchant_seat IS NOT NULL
GROUP BY o.code, g.merchant_id, g.merchant_seat HAVING count(*) > 1
UNION ALL
SELECT o.code, g.merchant_id, g.subject, 'granted when the merchant had its limit'
FROM (SELECT c.*, row_number() OVER (PARTITION BY offer_id, merchant_id ORDER BY id) AS n
      FROM campaigns_grant c WHERE status <> 'released') AS g
JOIN campaigns_offer o ON o.id = g.offer_id WHERE g.n > g.cap
