INSERT INTO buyers_buyeraction (action_no, buyer_id, merchant_id, kind, at, source, batch_id)
SELECT 'A' || n, 'B' || 1 + n::bigint * 104729 %% %(buyers)s,
       'M' || lpad((1 + floor(%(merchants)s * power((n::bigint * 7919 %% 1000003) / 1000003.0, 7)))::text, 7, '0'),
       (array['visit', 'visit', 'visit', 'chat', 'inquiry', 'order'])[1 + n %% 6],
       timestamptz %(since)s + (n - %(first)s) * ((timestamptz %(until)s - timestamptz %(since)s) / %(actions)s),
       (array['search', 'feed'])[1 + n %% 2], %(batch)s
FROM generate_series(%(first)s, %(first)s + %(actions)s - 1) n
