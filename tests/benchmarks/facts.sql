-- Seeded facts of a plausible month. %(merchants)s merchants, %(orders)s freight orders.
SELECT setseed(0.2022);

INSERT INTO merchants_merchant (code, name, name_en, country, category_l1, category_l2, logistics_partner, batch_id)
SELECT 'M' || lpad(n::text, 7, '0'), '商家' || n, 'Company ' || n,
       CASE WHEN random() < 0.92 THEN 'CN' ELSE 'HK' END, 'Machinery', '', random() < 0.02, %(batch)s
FROM generate_series(1, %(merchants)s) n;

INSERT INTO merchants_membership (merchant_id, plan, starts_at, ends_at, batch_id)
SELECT code, (ARRAY['export_pass', 'global_pass', 'verified_supplier'])[1 + floor(random() * 3)::int],
       timestamptz '2021-09-01Z' + random() * interval '300 days',
       CASE WHEN random() < 0.7 THEN NULL ELSE timestamptz '2022-08-25Z' + random() * interval '40 days' END, %(batch)s
FROM merchants_merchant WHERE random() < 0.9;

INSERT INTO merchants_penalty (merchant_id, kind, starts_at, ends_at, reason, batch_id)
SELECT code, (ARRAY['embargo', 'prohibited_goods', 'improper_trade'])[1 + floor(random() * 3)::int],
       timestamptz '2022-08-01Z' + random() * interval '40 days',
       timestamptz '2022-09-10Z' + random() * interval '20 days', '', %(batch)s
FROM merchants_merchant WHERE random() < 0.08;

INSERT INTO logistics_freightorder (order_no, merchant_id, account_code, service, line, base_freight, currency,
    promo_flag, use_coupon, placed_at, paid_at, shipped_at, cancelled_at, batch_id)
SELECT 'F' || lpad(n::text, 9, '0'), 'M' || lpad((1 + floor(power(random(), 1.5) * %(merchants)s))::int::text, 7, '0'),
       '', CASE WHEN line LIKE '%%-select' AND line NOT LIKE 'us-%%' THEN 'express' ELSE 'multimodal' END, line,
       round((300 + 4200 * random() * random())::numeric, 2), CASE WHEN random() < 0.97 THEN 'CNY' ELSE 'USD' END,
       false, random() < 0.05, paid - random() * interval '1 day', paid, paid + random() * interval '5 days',
       CASE WHEN random() < 0.03 THEN paid - random() * interval '1 hour' END, %(batch)s
FROM (
    SELECT n, date_trunc('second', timestamptz '2022-08-28 16:00Z' + random() * interval '32 days') AS paid,
           (ARRAY['us-matson-select', 'us-fastship-economy', 'eu-truck-ddp-select', 'eu-rail-ddp-economy', '3c-select',
                  'ems-economy', 'heavy-economy'])[1 + floor(random() * 7)::int] AS line
    FROM generate_series(1, %(orders)s) n OFFSET 0
) AS drawn;
