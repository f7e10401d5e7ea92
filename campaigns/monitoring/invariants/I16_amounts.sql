-- No amount is negative; a coupon is worth at most its face value, and one that sets a price nothing without an order. A
-- discount is at most its fee, and leaves what the fee requires, such as 0.01 of the freight. A fee that was corrected
-- later does not count if the grant is marked for review, was accepted as it is, or if no tick has processed it yet.
SELECT 'grant' AS what, g.subject AS subject, g.amount AS amount FROM campaigns_grant g WHERE g.amount < 0
UNION ALL SELECT 'coupon', c.code, c.value FROM campaigns_coupon c
WHERE c.value < 0 OR (c.price IS NULL AND round(c.value * 100) > round(c.face_value * 100))
    OR (c.price IS NOT NULL AND c.status NOT IN ('locked', 'redeemed') AND c.value <> 0)
UNION ALL SELECT 'journal', cast(e.id AS text), e.amount FROM campaigns_journalentry e WHERE e.amount < 0
UNION ALL
SELECT 'fee', g.subject, g.amount FROM campaigns_grant g
JOIN ({charges}) AS f ON f.fee = g.fee AND f.pk = g.subject
WHERE g.amount > 0 AND g.review = '' AND g.status IN ('reserved', 'locked', 'settled')
    AND round(f.charged * 100) - round(g.amount * 100) < f.least
    AND NOT EXISTS (SELECT 1 FROM campaigns_journalentry e WHERE e.grant_id = g.id AND e.source = e.target)
