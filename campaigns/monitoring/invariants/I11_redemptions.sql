-- A coupon has the status `redeemed` if and only if it was redeemed once more than it was returned. A locked or
-- redeemed coupon names its order, the order names the coupon, and no order has two.
WITH entries AS (
    SELECT e.*, lag(target) OVER moves AS reached, lead(id) OVER moves AS later
    FROM campaigns_journalentry e WINDOW moves AS (PARTITION BY grant_id, coupon_id ORDER BY id)
)
SELECT c.code AS coupon, c.status AS status, c.order_no AS order_no, coalesce(e.n, 0) AS redeemed
FROM campaigns_coupon c LEFT JOIN (
    SELECT coupon_id, sum(CASE WHEN target = 'redeemed' THEN 1 ELSE 0 END)
                    - sum(CASE WHEN source = 'redeemed' THEN 1 ELSE 0 END) AS n
    FROM campaigns_journalentry WHERE coupon_id IS NOT NULL GROUP BY coupon_id) AS e ON e.coupon_id = c.id
LEFT JOIN entries AS l ON l.coupon_id = c.id AND l.later IS NULL
LEFT JOIN campaigns_attachment a ON a.order_kind = c.order_kind AND a.order_no = c.order_no AND a.coupon_id = c.id
WHERE coalesce(e.n, 0) <> (CASE WHEN c.status = 'redeemed' THEN 1 ELSE 0 END)
    OR (c.order_no IS NULL) = (c.status IN ('locked', 'redeemed'))
    OR (c.order_no IS NOT NULL AND (a.order_no IS NULL OR l.order_no IS NULL OR l.order_no <> c.order_no))
UNION ALL
SELECT min(c.code), 'two on one order', c.order_no, count(*)
FROM campaigns_coupon c WHERE c.order_no IS NOT NULL GROUP BY c.order_kind, c.order_no HAVING count(*) > 1
