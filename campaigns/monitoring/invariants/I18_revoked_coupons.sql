-- Coupons of a grant that ended cannot be spent.
SELECT c.code AS coupon, c.status AS status, g.subject AS subject, g.status AS "grant"
FROM campaigns_coupon c JOIN campaigns_grant g ON g.id = c.grant_id
WHERE g.status NOT IN ('reserved', 'locked', 'settled') AND c.status IN ('issued', 'locked')
