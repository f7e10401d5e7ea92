-- A subject that was cancelled after its claim, itself or the order to which it belongs, holds no place, also while its
-- grant is under review. Left out: grants that were settled before where that is for good, those whose facts lead
-- elsewhere, subjects in quarantine, and imports that wait for a tick.
SELECT g.subject, o.code AS offer, g.status, s.at AS cancelled_at
FROM campaigns_grant g
JOIN campaigns_offer o ON o.id = g.offer_id
JOIN campaigns_version v ON v.id = g.version_id
JOIN ({cancellations}) AS s ON s.kind = o.subject AND s.pk = g.subject
    AND s.fact = v.definition -> 'settlement' ->> 'released_by'
WHERE g.status IN ('reserved', 'locked', 'settled')
    AND s.at > g.claimed_at AND s.at <= o.grants_followed_until
    AND (g.status <> 'settled'
         OR cast(v.definition -> 'settlement' ->> 'released_after_settlement' AS text) IN ('true', '1'))
    AND g.differences NOT LIKE '%facts now lead to another state%'
    AND NOT EXISTS (SELECT 1 FROM campaigns_quarantineentry q WHERE q.kind = 'subject' AND q.key = g.subject)
