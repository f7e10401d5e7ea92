-- Every event about a grant or coupon has its journal entry, and messages go only to members of the event's merchant.
-- A review moves no money: its start has no entry, but its grant. Messages come of events that are fanned out; the member who acted has its message at once, as read.
SELECT 'event' AS what, e.id, e.kind AS fault FROM campaigns_outboxevent e
WHERE (e.grant_id IS NOT NULL OR e.coupon_id IS NOT NULL) AND e.kind <> 'review_started' AND NOT EXISTS (
    SELECT 1 FROM campaigns_journalentry j WHERE j.at = e.at AND j.offer_id = e.offer_id
        AND (j.grant_id = e.grant_id OR j.coupon_id = e.coupon_id))
UNION ALL
SELECT 'event', e.id, e.kind FROM campaigns_outboxevent e
WHERE e.kind = 'review_started' AND NOT EXISTS (
    SELECT 1 FROM campaigns_grant g WHERE g.id = e.grant_id AND g.offer_id = e.offer_id)
UNION ALL
SELECT 'message', m.id, CASE WHEN e.fanned_out THEN 'not to a member of the merchant' ELSE 'event is not fanned out yet' END
FROM campaigns_message m
JOIN campaigns_outboxevent e ON e.id = m.event_id JOIN merchants_member p ON p.id = m.member_id
WHERE NOT e.fanned_out AND m.read_at IS NULL OR e.merchant_id IS NULL OR e.merchant_id <> p.merchant_id
