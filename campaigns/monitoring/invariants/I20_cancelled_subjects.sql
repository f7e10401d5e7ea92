-- A subject that was cancelled after its claim holds no place, also while its grant is under review. Left out: grants
-- that were settled before where that is for good, those whose facts lead elsewhere, subjects in quarantine, and imports
-- that wait for a tick.
SELECT g.subject, o.code AS offer, g.status, s.cancelled_at
FROM campaigns_grant g
JOIN campaigns_offer o ON o.id = g.offer_id
JOIN campaigns_version v ON v.id = g.version_id
JOIN (SELECT 'freight_order' AS kind, order_no AS pk, cancelled_at, batch_id FROM logistics_freightorder
      UNION ALL SELECT 'trade_order', order_no, cancelled_at, batch_id FROM trade_tradeorder
      UNION ALL SELECT 'service_order', order_no, cancelled_at, batch_id FROM services_serviceorder
) AS s ON s.kind = o.subject AND s.pk = g.subject
JOIN imports_importbatch b ON b.id = s.batch_id AND b.processed
WHERE g.status IN ('reserved', 'locked', 'settled')
    AND s.cancelled_at > g.claimed_at AND s.cancelled_at <= o.grants_followed_until
    AND v.definition -> 'settlement' ->> 'released_by' = 'cancelled_at'
    AND (g.status <> 'settled'
         OR cast(v.definition -> 'settlement' ->> 'released_after_settlement' AS text) IN ('true', '1'))
    AND g.differences NOT LIKE '%facts now lead to another state%'
    AND NOT EXISTS (SELECT 1 FROM campaigns_quarantineentry q WHERE q.kind = 'subject' AND q.key = g.subject)
