-- Trade orders, receipts and draws beside the freight orders of facts.sql, so that every offer has subjects.
INSERT INTO trade_tradeorder (order_no, merchant_id, account_code, product, export_mode, payment_product, drafted_at,
    buyer_confirmed_at, amount_usd, is_rts, category_l1, destination, oa_mode, easy_return, easy_return_premium_usd,
    service_fee_usd, shipped_at, batch_id)
SELECT 'T' || lpad(n::text, 9, '0'), 'M' || lpad((1 + n * 7919 %% %(merchants)s)::text, 7, '0'), '', 'trade_assurance',
       'self_operated', '', timestamptz '2022-09-02Z' + n %% 25 * interval '1 day',
       timestamptz '2022-09-03Z' + n %% 25 * interval '1 day', 200 + n %% 60000, true, 'Machinery', 'US',
       'platform_insured', true, 8.00, 40.00, timestamptz '2022-09-05Z' + n %% 25 * interval '1 day', %(batch)s
FROM generate_series(1, %(orders)s) n;

INSERT INTO trade_receipt (receipt_no, order_id, kind, amount_usd, booked_at, cancelled_alone, batch_id)
SELECT 'R' || order_no, order_no, 'first', amount_usd, buyer_confirmed_at + interval '6 hours', false, %(batch)s FROM trade_tradeorder;

INSERT INTO trade_financingdraw (draw_no, merchant_id, product, drawn_at, fee, currency, batch_id)
SELECT 'D' || code, code, 'lc_post_document', timestamptz '2022-09-08Z' + row_number() OVER () * interval '1 second', 120.00, 'USD',
       %(batch)s
FROM merchants_merchant
