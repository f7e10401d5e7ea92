-- What belongs to a merchant follows its subject: a live grant has the merchant of its subject, a coupon in use that of
-- its order, or the difference is recorded at the grant, for review or accepted. A tag always follows its order.
-- Subjects whose import waits for a tick are left out.
SELECT 'grant' AS what, g.subject, g.merchant_id AS merchant, s.merchant_id AS owner
FROM campaigns_grant g
JOIN campaigns_offer o ON o.id = g.offer_id
JOIN (SELECT 'freight_order' AS kind, order_no AS pk, merchant_id, batch_id FROM logistics_freightorder
      UNION ALL SELECT 'trade_order', order_no, merchant_id, batch_id FROM trade_tradeorder
      UNION ALL SELECT 'financing_draw', draw_no, merchant_id, batch_id FROM trade_financingdraw
      UNION ALL SELECT 'service_order', order_no, merchant_id, batch_id FROM services_serviceorder
      UNION ALL SELECT 'claim_request', request_no, merchant_id, batch_id FROM services_claimrequest
) AS s ON s.kind = o.subject AND s.pk = g.subject
JOIN imports_importbatch b ON b.id = s.batch_id AND b.processed
WHERE g.status IN ('reserved', 'locked', 'settled') AND g.merchant_id <> s.merchant_id
    AND g.differences NOT LIKE '%subject belongs to another merchant%'
    AND g.differences NOT LIKE '%subject no longer claims%'
UNION ALL
SELECT 'coupon', c.order_no, c.merchant_id, f.merchant_id
FROM campaigns_coupon c
JOIN campaigns_grant g ON g.id = c.grant_id
JOIN (SELECT 'freight_order' AS kind, order_no, merchant_id, batch_id FROM logistics_freightorder
      UNION ALL SELECT 'service_order', order_no, merchant_id, batch_id FROM services_serviceorder
) AS f ON f.kind = c.order_kind AND f.order_no = c.order_no
JOIN imports_importbatch b ON b.id = f.batch_id AND b.processed
WHERE c.status IN ('locked', 'redeemed') AND c.merchant_id <> f.merchant_id
    AND g.status IN ('reserved', 'locked', 'settled')
    AND g.differences NOT LIKE '%order of its coupons belongs to another merchant%'
UNION ALL
SELECT 'tag', t.subject, t.merchant_id, s.merchant_id
FROM campaigns_tag t
JOIN trade_tradeorder s ON s.order_no = t.subject
JOIN imports_importbatch b ON b.id = s.batch_id AND b.processed
WHERE t.merchant_id <> s.merchant_id
