-- What belongs to a merchant follows its subject: a live grant has the merchant of its subject, a coupon in use that of
-- its order, or the difference is recorded at the grant, for review or accepted. A tag always follows its order.
-- Subjects whose import waits for a tick are left out.
SELECT 'grant' AS what, g.subject, g.merchant_id AS merchant, s.merchant_id AS owner
FROM campaigns_grant g
JOIN campaigns_offer o ON o.id = g.offer_id
JOIN ({owners}) AS s ON s.kind = o.subject AND s.pk = g.subject
WHERE g.status IN ('reserved', 'locked', 'settled') AND g.merchant_id <> s.merchant_id
    AND g.differences NOT LIKE '%subject belongs to another merchant%'
    AND g.differences NOT LIKE '%subject no longer claims%'
UNION ALL
SELECT 'coupon', c.order_no, c.merchant_id, f.merchant_id
FROM campaigns_coupon c
JOIN campaigns_grant g ON g.id = c.grant_id
JOIN ({owners}) AS f ON f.kind = c.order_kind AND f.pk = c.order_no
WHERE c.status IN ('locked', 'redeemed') AND c.merchant_id <> f.merchant_id
    AND g.status IN ('reserved', 'locked', 'settled')
    AND g.differences NOT LIKE '%order of its coupons belongs to another merchant%'
UNION ALL
SELECT 'tag', t.subject, t.merchant_id, s.merchant_id
FROM campaigns_tag t
JOIN campaigns_offer o ON o.id = t.offer_id
JOIN ({owners}) AS s ON s.kind = o.subject AND s.pk = t.subject
WHERE t.merchant_id <> s.merchant_id
