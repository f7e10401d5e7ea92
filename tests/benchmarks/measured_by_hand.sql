-- The share of each claim of the last thirty days, in one grouped statement.
SELECT claim.order_no,
       CASE WHEN COALESCE(ROUND(100.0 * COUNT(one.order_no) FILTER (WHERE one.shipped_at <= claim.shipped_at
                                                                     AND one.shipped_at <= one.completed_at)
                                / NULLIF(COUNT(one.order_no), 0), 2), 0) >= 62 THEN 0 ELSE 1 END
FROM trade_tradeorder AS claim
LEFT JOIN trade_tradeorder AS one ON one.merchant_id = claim.merchant_id
      AND one.drafted_at >= claim.shipped_at - interval '90 days' AND one.drafted_at < claim.shipped_at
WHERE claim.shipped_at >= %(since)s AND claim.shipped_at < %(until)s
GROUP BY claim.order_no, claim.shipped_at
