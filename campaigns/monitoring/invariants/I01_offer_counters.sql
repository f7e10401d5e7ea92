-- The counters of an offer agree with its rows: places taken with the grants that are not released, the number of
-- qualified claims with the highest place of a decision.
SELECT o.code AS offer, 'places taken' AS counter, o.used AS stored, count(g.id) AS found
FROM campaigns_offer o LEFT JOIN campaigns_grant g ON g.offer_id = o.id AND g.status <> 'released'
GROUP BY o.id, o.code, o.used HAVING o.used <> count(g.id)
UNION ALL
SELECT o.code, 'qualified claims', o.line, max(d.place)
FROM campaigns_offer o JOIN campaigns_decision d ON d.offer_id = o.id
GROUP BY o.id, o.code, o.line HAVING o.line < max(d.place)
