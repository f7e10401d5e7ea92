-- What was collected follows from ratings: at the request an official rating was in force, of a level that the version
-- of the allowance asks for.
SELECT a.merchant_id AS merchant, a.document_id AS allowance, a.period AS period, c.value ->> 'rating' AS rating
FROM campaigns_allowance a
JOIN campaigns_documentversion v ON v.id = a.version_id
CROSS JOIN {conditions_of_version} AS c
WHERE a.request_no <> '' AND c.value ->> 'rating' IS NOT NULL AND coalesce(c.value ->> 'of', 'level') = 'level'
    AND NOT EXISTS (
        SELECT 1 FROM ratings_rating r
        WHERE r.subject = a.merchant_id AND r.scorecard = c.value ->> 'rating' AND r.series = 'official'
            AND r.starts_at <= a.collected_at AND r.ends_at > a.collected_at
            AND (c.value ->> 'is' IS NULL OR r.level = c.value ->> 'is')
            AND (c.value ->> 'at_least' IS NULL OR r.level_number >= CAST(c.value ->> 'at_least' AS numeric))
            AND (c.value ->> 'at_most' IS NULL OR r.level_number <= CAST(c.value ->> 'at_most' AS numeric)))
