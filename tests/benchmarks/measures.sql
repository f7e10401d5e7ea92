-- Orders of 360 days, sixty for each merchant; shipped within eight days, of which five are promised.
INSERT INTO merchants_merchant (code, name, name_en, country, category_l1, category_l2, logistics_partner, batch_id)
SELECT 'M' || lpad(n::text, 7, '0'), '', '', 'CN', '', '', false, %(batch)s FROM generate_series(1, %(merchants)s) n;

INSERT INTO trade_tradeorder (order_no, merchant_id, account_code, product, export_mode, payment_product, drafted_at,
    amount_usd, is_rts, category_l1, destination, oa_mode, easy_return, service_fee_usd, shipped_at, completed_at,
    batch_id)
SELECT 'T' || lpad(n::text, 9, '0'), 'M' || lpad((1 + n::bigint * 7919 %% %(merchants)s)::text, 7, '0'), '', 'trade_assurance',
       'self_operated', '', at, 200 + n %% 60000, true, 'Machinery', 'US', '', false, 40.00,
       at + n %% 97 * interval '2 hours', at + interval '5 days', %(batch)s
FROM (SELECT n, timestamptz '2022-01-01Z' + n * (interval '360 days' / %(orders)s) AS at
      FROM generate_series(1, %(orders)s) n) AS generated
