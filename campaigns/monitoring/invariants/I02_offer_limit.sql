-- The limit of an offer holds. None was granted when all places were taken under the version that decided it. Only a
-- release frees a place, so every grant that is not released counts for each later one. No band of a quota is above its
-- limit.
--
-- MATERIALIZED: the definition of a version is a few kilobytes of JSON, to be read once and not for each grant.
WITH quota AS MATERIALIZED (
    SELECT id, CAST(definition -> 'quota' ->> 'limit' AS integer) AS places,
        CAST(definition -> 'quota' ->> 'per_merchant' AS integer) AS per_merchant
    FROM campaigns_version
)
SELECT o.code AS offer, '' AS subject, 'places taken beyond the limit' AS fault
FROM campaigns_offer o WHERE o.places_taken < 0 OR o.places_taken > o."limit"
UNION ALL
SELECT o.code, '', 'band ' || b.signature || ' ' || c.key || ' beyond its limit'
FROM campaigns_bandcounter c JOIN campaigns_quotaband b ON b.id = c.band_id JOIN campaigns_offer o ON o.id = b.offer_id
WHERE c.taken < 0 OR c.taken > c."limit"
UNION ALL
SELECT o.code, g.subject, 'given when all places were taken'
FROM (SELECT c.*, row_number() OVER (PARTITION BY offer_id ORDER BY id) AS n
      FROM campaigns_grant c WHERE status <> 'released') AS g
JOIN campaigns_offer o ON o.id = g.offer_id JOIN quota q ON q.id = g.version_id WHERE g.n > q.places
