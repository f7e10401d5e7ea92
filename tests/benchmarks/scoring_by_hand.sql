-- The metrics of the scorecard for all merchants, as of %(at)s: each table is grouped once.
WITH latest AS (
    SELECT DISTINCT ON (buyer_id) buyer_id, level FROM buyers_buyerlevel WHERE from_at <= %(at)s
    ORDER BY buyer_id, from_at DESC
), pairs AS (
    SELECT merchant_id, buyer_id,
           min(at) FILTER (WHERE kind = 'visit' AND trusted) AS began,
           max(at) FILTER (WHERE kind <> 'visit' AND trusted) AS went_on,
           bool_or(kind <> 'visit') AS active
    FROM (SELECT a.merchant_id, a.buyer_id, a.kind, a.at, NOT EXISTS (
              SELECT FROM merchants_referencevalue v WHERE v.list_code = 'low_intent_sources' AND v.value = a.source
          ) AS trusted
          FROM buyers_buyeraction a WHERE a.at >= %(at)s - interval '30 days' AND a.at < %(at)s) AS recent
    GROUP BY merchant_id, buyer_id
), opportunities AS (
    SELECT merchant_id,
           least(1000, coalesce(sum(10 + 10 * coalesce(level, 0)) FILTER (WHERE active AND b.closed_at IS NULL), 0)) AS opportunity_index,
           coalesce(round(100.0 * count(*) FILTER (WHERE began < went_on) / nullif(count(began), 0), 2), 0) AS conversion_rate
    FROM pairs JOIN buyers_buyer b ON b.code = pairs.buyer_id LEFT JOIN latest USING (buyer_id)
    GROUP BY merchant_id
), orders AS (
    SELECT merchant_id,
           count(*) FILTER (WHERE paid) AS paid_orders,
           sum(amount_usd) FILTER (WHERE paid AND cancelled_at IS NULL AND abnormal_at IS NULL) AS trade_volume,
           round(100.0 * count(*) FILTER (WHERE paid AND disputed_at <= %(at)s) / nullif(count(*) FILTER (WHERE paid), 0), 2) AS dispute_rate,
           round(100.0 * count(*) FILTER (WHERE promised AND shipped_at <= promised_ship_at AND shipped_at <= %(at)s)
                 / nullif(count(*) FILTER (WHERE promised), 0), 2) AS on_time_rate
    FROM (SELECT o.*, r.booked_at >= %(at)s - interval '90 days' AND r.booked_at < %(at)s AS paid,
                 o.cancelled_at IS NULL AND promised_ship_at >= %(at)s - interval '90 days' AND promised_ship_at < %(at)s AS promised
          FROM trade_tradeorder o LEFT JOIN trade_receipt r ON r.order_id = o.order_no AND r.kind = 'first') AS dated
    GROUP BY merchant_id
), credentials AS (
    SELECT merchant_id,
           max(amount_usd) FILTER (WHERE kind = 'export_volume') AS export_volume,
           count(*) FILTER (WHERE kind = 'ip_right') AS ip_rights,
           count(*) FILTER (WHERE kind = 'aeo') AS aeo,
           count(*) FILTER (WHERE kind = 'fortune_500') AS fortune_500,
           count(*) FILTER (WHERE kind = 'brand_oem') AS brand_oem,
           count(*) FILTER (WHERE kind = 'overseas_after_sales') AS after_sales,
           count(*) FILTER (WHERE kind = 'home_3d_models') AS home_3d_models,
           count(*) FILTER (WHERE kind = 'software_copyright') AS software_copyrights,
           count(*) FILTER (WHERE kind = 'overseas_stock') AS overseas_stock,
           count(*) FILTER (WHERE kind = 'engineering_capability') AS engineering_capability,
           count(*) FILTER (WHERE kind = 'engineering_case') AS engineering_cases
    FROM compliance_credential WHERE verified_at <= %(at)s AND (ends_at IS NULL OR ends_at > %(at)s) GROUP BY merchant_id
), growing AS (
    SELECT merchant_id, round(avg(growth_score), 2) AS growth FROM catalog_listing
    WHERE NOT is_rts AND published_at <= %(at)s AND removed_at IS NULL GROUP BY merchant_id
), reviewed AS (
    SELECT o.merchant_id, round(avg(r.stars) * 20, 2) AS service_score
    FROM trade_review r JOIN trade_tradeorder o ON o.order_no = r.order_id AND o.abnormal_at IS NULL
    WHERE r.reviewed_at >= %(at)s - interval '90 days' AND r.reviewed_at < %(at)s GROUP BY o.merchant_id
), abroad AS (
    SELECT o.merchant_id, sum(i.amount_usd) AS local_service_volume
    FROM trade_orderitem i JOIN trade_tradeorder o ON o.order_no = i.order_id JOIN trade_receipt r ON r.order_id = o.order_no
    JOIN catalog_listing l ON l.listing_no = i.listing_id AND l.local_service
    WHERE r.kind = 'first' AND r.booked_at >= %(at)s - interval '90 days' AND r.booked_at < %(at)s
      AND o.cancelled_at IS NULL AND o.abnormal_at IS NULL GROUP BY o.merchant_id
)
SELECT m.code AS subject, growth, opportunity_index, conversion_rate, paid_orders, trade_volume, dispute_rate, on_time_rate,
       export_volume, ip_rights, aeo, fortune_500, brand_oem, after_sales, home_3d_models, software_copyrights,
       overseas_stock, engineering_capability, engineering_cases, service_score, local_service_volume
FROM merchants_merchant m
LEFT JOIN opportunities ON opportunities.merchant_id = m.code LEFT JOIN orders ON orders.merchant_id = m.code
LEFT JOIN credentials ON credentials.merchant_id = m.code LEFT JOIN growing ON growing.merchant_id = m.code
LEFT JOIN reviewed ON reviewed.merchant_id = m.code LEFT JOIN abroad ON abroad.merchant_id = m.code
WHERE m.country = 'CN' AND EXISTS (
    SELECT FROM merchants_membership s WHERE s.merchant_id = m.code AND s.starts_at <= %(at)s
    AND (s.ends_at IS NULL OR s.ends_at > %(at)s)
)
