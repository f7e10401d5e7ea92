-- A fee of a subject has at most one live grant, and a coupon on an order replaces the discount of its freight.
SELECT g.subject AS subject, g.fee AS fee, count(*) AS benefits FROM campaigns_grant g
WHERE g.fee <> '' AND g.status IN ('reserved', 'locked', 'settled') GROUP BY g.subject, g.fee HAVING count(*) > 1
UNION ALL
SELECT g.subject, 'coupon and discount', 2 FROM campaigns_grant g
JOIN campaigns_attachment a ON a.order_no = g.subject AND a.coupon_id IS NOT NULL AND a.placed_at <= g.claimed_at
WHERE g.fee = 'freight' AND g.status <> 'released'
