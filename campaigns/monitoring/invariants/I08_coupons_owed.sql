-- Each grant has all coupons that it promises, or none yet; the counters of the offer's issuance agree with them.
SELECT o.code AS offer, '' AS subject, 'counters' AS fault, i.planned AS promised, i.issued AS found
FROM campaigns_issuance i JOIN campaigns_offer o ON o.id = i.offer_id
WHERE i.planned <> (SELECT coalesce(sum(g.coupons), 0) FROM campaigns_grant g WHERE g.offer_id = o.id)
    OR i.issued <> (SELECT count(*) FROM campaigns_coupon c WHERE c.offer_id = o.id)
UNION ALL
SELECT o.code, g.subject, 'coupons differ from what is promised', g.coupons, b.n
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
JOIN (SELECT grant_id, count(*) AS n, max(number) AS last, min(number) AS first, min(currency) AS currency,
             sum(round(face_value * 100)) AS cents
      FROM campaigns_coupon GROUP BY grant_id) AS b ON b.grant_id = g.id
WHERE b.n <> g.coupons OR b.first <> 1 OR b.last <> g.coupons
    OR b.cents <> round(g.amount * 100) OR b.currency <> g.currency
UNION ALL
SELECT o.code, '', 'promises coupons without an issuance', sum(g.coupons), 0
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.coupons > 0 AND NOT EXISTS (SELECT 1 FROM campaigns_issuance i WHERE i.offer_id = o.id) GROUP BY o.code
