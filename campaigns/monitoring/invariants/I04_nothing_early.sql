-- Nothing happens before its time. Claims are decided only up to the instant to which the offer has been decided,
-- coupons are locked and redeemed only while they are valid, and expire only afterwards. One coupon may expire
-- earlier: a cancelled order returns it after its validity has ended, and it expires at the instant of the
-- cancellation. Up to the instant to which coupons have been followed, none is unspent after its validity, unless its
-- merchant is in quarantine.
SELECT o.code AS offer, d.subject AS what, 'decided before its time' AS fault, d.claimed_at AS at
FROM campaigns_decision d JOIN campaigns_offer o ON o.id = d.offer_id
WHERE d.claimed_at > o.claims_decided_until
    AND (o.instant_claims_decided_until IS NULL OR d.claimed_at > o.instant_claims_decided_until)
UNION ALL
SELECT o.code, g.subject, 'granted before its time', g.claimed_at
FROM campaigns_grant g JOIN campaigns_offer o ON o.id = g.offer_id
WHERE g.claimed_at > o.claims_decided_until
    AND (o.instant_claims_decided_until IS NULL OR g.claimed_at > o.instant_claims_decided_until)
UNION ALL
SELECT o.code, c.code, 'used outside its validity', e.at
FROM campaigns_journalentry e
JOIN campaigns_coupon c ON c.id = e.coupon_id JOIN campaigns_offer o ON o.id = c.offer_id
WHERE e.target IN ('locked', 'redeemed') AND (e.at < c.valid_from OR e.at >= c.valid_until)
UNION ALL
SELECT o.code, c.code, 'expired before its validity ended', e.at FROM campaigns_journalentry e
JOIN campaigns_coupon c ON c.id = e.coupon_id JOIN campaigns_offer o ON o.id = c.offer_id
WHERE e.target = 'expired' AND e.at < c.valid_until AND e.order_no = ''
UNION ALL
SELECT o.code, c.code, 'not expired when its validity ended', c.valid_until FROM campaigns_coupon c
JOIN campaigns_offer o ON o.id = c.offer_id JOIN campaigns_issuance i ON i.offer_id = c.offer_id
WHERE c.status IN ('issued', 'locked') AND c.valid_until <= i.spent_until
    AND NOT EXISTS (SELECT 1 FROM campaigns_quarantineentry q WHERE q.stage = 'use' AND q.key = c.merchant_id)
