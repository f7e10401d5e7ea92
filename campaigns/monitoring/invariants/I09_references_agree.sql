-- Merchant, offer and version agree along decision, grant, coupon, attachment and journal entry, and those of decisions
-- and threshold tags exist: the database checks the references of neither.
SELECT 'decision and grant' AS path, g.subject AS what, d.merchant_id AS one, g.merchant_id AS other
FROM campaigns_grant g JOIN campaigns_decision d ON d.offer_id = g.offer_id AND d.subject = g.subject
WHERE g.status <> 'released' AND (d.merchant_id <> g.merchant_id OR d.version_id <> g.version_id)
UNION ALL
SELECT 'grant and coupon', c.code, g.merchant_id, c.merchant_id
FROM campaigns_coupon c LEFT JOIN campaigns_grant g ON g.id = c.grant_id
WHERE g.id IS NULL OR c.merchant_id <> g.merchant_id OR c.offer_id <> g.offer_id
UNION ALL
SELECT 'coupon and attachment', a.order_no, c.merchant_id, a.merchant_id
FROM campaigns_attachment a JOIN campaigns_coupon c ON c.id = a.coupon_id WHERE a.merchant_id <> c.merchant_id
UNION ALL
SELECT 'version of another offer', g.subject, '', '' FROM campaigns_grant g
LEFT JOIN campaigns_version v ON v.id = g.version_id WHERE v.id IS NULL OR v.offer_id <> g.offer_id
UNION ALL
SELECT 'version of another offer', d.subject, '', '' FROM campaigns_decision d
LEFT JOIN campaigns_version v ON v.id = d.version_id WHERE v.id IS NULL OR v.offer_id <> d.offer_id
UNION ALL
SELECT 'journal', cast(e.id AS text), cast(e.offer_id AS text), cast(coalesce(g.offer_id, c.offer_id) AS text)
FROM campaigns_journalentry e
LEFT JOIN campaigns_grant g ON g.id = e.grant_id LEFT JOIN campaigns_coupon c ON c.id = e.coupon_id
LEFT JOIN campaigns_version v ON v.id = e.version_id
WHERE coalesce(g.offer_id, c.offer_id, 0) <> e.offer_id OR coalesce(v.offer_id, 0) <> e.offer_id
    OR g.version_id <> e.version_id
UNION ALL
SELECT 'decision', d.subject, d.merchant_id, 'merchant is missing' FROM campaigns_decision d
LEFT JOIN merchants_merchant m ON m.code = d.merchant_id WHERE m.code IS NULL
UNION ALL
SELECT 'tag', t.subject, cast(t.offer_id AS text), t.merchant_id FROM campaigns_tag t
LEFT JOIN campaigns_offer o ON o.id = t.offer_id LEFT JOIN merchants_merchant m ON m.code = t.merchant_id
WHERE o.id IS NULL OR m.code IS NULL
