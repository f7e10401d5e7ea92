-- A claim has one decision, a subject has at most one live grant of an offer, and the two agree.
SELECT o.code AS offer, d.subject AS subject, 'decided more than once' AS fault
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id GROUP BY o.code, d.subject HAVING count(*) > 1
UNION ALL
SELECT o.code, g.subject, 'granted more than once'
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.status <> 'released' GROUP BY o.code, g.subject HAVING count(*) > 1
UNION ALL
SELECT o.code, d.subject, 'decision without its grant'
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id
LEFT JOIN campaigns_grant g ON g.offer_id = d.offer_id AND g.subject = d.subject
WHERE d.outcome = 1 AND g.id IS NULL
UNION ALL
SELECT o.code, g.subject, 'granted without a decision to grant'
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
LEFT JOIN campaigns_decision d ON d.offer_id = g.offer_id AND d.subject = g.subject AND d.outcome = 1
WHERE g.status <> 'released' AND (d.id IS NULL OR d.claimed_at <> g.claimed_at)
UNION ALL
SELECT o.code, d.subject, 'outcome and failed conditions disagree'
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id
WHERE (d.outcome = 2) <> (d.failed > 0) OR (d.outcome = 2) <> (d.queue_position IS NULL)
