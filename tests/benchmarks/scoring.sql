-- Merchants that are members, and what their scorecard reads of the 100 days before 20 September 2022 in Shanghai.
-- Four fifths of the actions are at one fifth of the merchants, as is usual among sellers.
INSERT INTO merchants_merchant (code, name, name_en, country, category_l1, category_l2, logistics_partner, batch_id)
SELECT 'M' || lpad(n::text, 7, '0'), '', '', 'CN',
       (array['Machinery', 'Furniture', 'Security', 'Apparel', 'Home Textiles'])[1 + n %% 5], '', false, %(batch)s
FROM generate_series(1, %(merchants)s) n;

INSERT INTO merchants_membership (merchant_id, plan, starts_at, batch_id)
SELECT code, 'global_pass', timestamptz '2020-01-01Z', %(batch)s FROM merchants_merchant;

INSERT INTO buyers_buyer (code, country, registered_at, batch_id)
SELECT 'B' || n, 'US', timestamptz '2021-01-01Z', %(batch)s FROM generate_series(1, %(buyers)s) n;

INSERT INTO buyers_buyerlevel (buyer_id, from_at, level, batch_id)
SELECT 'B' || n, timestamptz '2021-02-01Z', n %% 5, %(batch)s FROM generate_series(1, %(buyers)s) n WHERE n %% 5 > 0;

INSERT INTO catalog_listing (listing_no, merchant_id, title, category, is_rts, customizable, local_service,
    country_pricing, published_at, growth_score, has_video, batch_id)
SELECT 'L' || code || k, code, '', '', false, true, false, false, timestamptz '2022-02-01Z', 20 + k * 37, false, %(batch)s
FROM merchants_merchant, generate_series(0, 1) k;

INSERT INTO compliance_credential (credential_no, merchant_id, kind, verified_at, amount_usd, batch_id)
SELECT 'C' || code, code, (array['export_volume', 'ip_right', 'aeo', 'engineering_case'])[1 + right(code, 4)::int %% 4],
       timestamptz '2022-03-01Z', 600000.00, %(batch)s
FROM merchants_merchant;

INSERT INTO trade_tradeorder (order_no, merchant_id, account_code, product, export_mode, payment_product, drafted_at,
    amount_usd, is_rts, category_l1, destination, oa_mode, easy_return, service_fee_usd, promised_ship_at, shipped_at,
    disputed_at, batch_id)
SELECT 'T' || code || k, code, '', 'trade_assurance', 'self_operated', '', at, 900 + right(code, 4)::int * 7, true, '',
       'US', '', false, 0, at + interval '9 days', at + right(code, 2)::int * interval '4 hours',
       CASE WHEN right(code, 2) = '07' THEN at + interval '12 days' END, %(batch)s
FROM (SELECT code, k, timestamptz '2022-04-01Z' + (row_number() OVER () %% 170) * interval '1 day' AS at
      FROM merchants_merchant, generate_series(0, 1) k) AS drafted;

INSERT INTO trade_receipt (receipt_no, order_id, kind, amount_usd, booked_at, cancelled_alone, batch_id)
SELECT 'R' || order_no, order_no, 'first', amount_usd, drafted_at + interval '6 hours', false, %(batch)s
FROM trade_tradeorder
