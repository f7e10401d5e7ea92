-- A fee of a subject has at most one live grant. A coupon on an order replaces the discount of its fee, unless the
-- discount came first: then the order has no coupon.
SELECT g.subject AS subject, g.fee AS fee, count(*) AS benefits FROM campaigns_grant g
WHERE g.fee <> '' AND g.status IN ('reserved', 'locked', 'settled') GROUP BY g.subject, g.fee HAVING count(*) > 1
UNION ALL
SELECT g.subject, 'coupon and discount', 2 FROM campaigns_grant g
JOIN ({coupon_fees}) k
    ON k.fee = g.fee
JOIN campaigns_attachment a ON a.order_kind = k.kind AND a.order_no = g.subject AND a.coupon_id IS NOT NULL
    AND a.placed_at <= g.claimed_at
WHERE g.status <> 'released'
UNION ALL
SELECT c.order_no, 'coupon in use and discount', 2 FROM campaigns_coupon c
JOIN campaigns_grant g ON g.subject = c.order_no
JOIN ({coupon_fees}) k
    ON k.fee = g.fee AND k.kind = c.order_kind
WHERE g.status IN ('reserved', 'locked', 'settled')
