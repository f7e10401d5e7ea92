-- The limit per merchant holds: as the limit of an offer (I02), with the places of each merchant.
WITH quota AS MATERIALIZED (
    SELECT id, CAST(definition -> 'quota' ->> 'limit' AS integer) AS places,
        CAST(definition -> 'quota' ->> 'per_merchant' AS integer) AS per_merchant
    FROM campaigns_version
)
SELECT o.code AS offer, m.merchant_id AS merchant, '' AS subject, 'places taken beyond the limit' AS fault
FROM campaigns_merchantquota m JOIN campaigns_offer o ON o.id = m.offer_id
WHERE m.places_taken < 0 OR m.places_taken > m."limit"
UNION ALL
SELECT o.code, g.merchant_id, g.subject, 'given when the merchant was at its limit'
FROM (SELECT c.*, row_number() OVER (PARTITION BY offer_id, merchant_id ORDER BY id) AS n
      FROM campaigns_grant c WHERE status <> 'released') AS g
JOIN campaigns_offer o ON o.id = g.offer_id JOIN quota q ON q.id = g.version_id WHERE g.n > q.per_merchant
