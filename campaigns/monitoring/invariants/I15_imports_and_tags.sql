-- The figures of imports add up, each imported record names an import that exists, and threshold tags are on the
-- right side of their threshold. Only imports of files, which have a digest, count their rows. {imported_records} is
-- replaced by a subquery over all tables of imported records: batch_id, n.
SELECT b.source AS what, b.id AS batch, 'rows do not add up' AS fault FROM imports_importbatch b
LEFT JOIN (SELECT batch_id, sum(n) AS n FROM {imported_records} AS facts GROUP BY batch_id) AS f ON f.batch_id = b.id
WHERE b.rows < b.added + b.changed OR b.added < 0 OR b.changed < 0 OR b.future < 0
    OR (b.digest <> '' AND coalesce(f.n, 0) > b.added + b.changed)
UNION ALL
SELECT 'facts', f.batch_id, 'import is missing' FROM {imported_records} AS f
WHERE NOT EXISTS (SELECT 1 FROM imports_importbatch b WHERE b.id = f.batch_id)
UNION ALL
SELECT t.subject, t.id, 'tag on the wrong side of the threshold' FROM campaigns_tag t
JOIN (SELECT offer_id,
             min(cast(definition -> 'claim' -> 'over_threshold' ->> 'height' AS numeric)) AS lowest,
             max(cast(definition -> 'claim' -> 'over_threshold' ->> 'height' AS numeric)) AS highest
      FROM campaigns_version GROUP BY offer_id) AS v ON v.offer_id = t.offer_id
WHERE (t.kind = 'candidate' AND round(t.total * 100) < round(v.lowest * 100))
    OR (t.kind = 'threshold' AND round(t.total * 100) >= round(v.highest * 100))
