-- At any instant at most one official rating of a scorecard is in force for a subject. Each rating has the instants and
-- the version of an evaluation that exists. The level of an official rating is the highest one whose bound its score
-- reaches, or its lowest part, as the version says.
WITH told AS (
    SELECT scorecard, period, subject, starts_at,
        max(ends_at) OVER (PARTITION BY scorecard, subject ORDER BY starts_at, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_until
    FROM ratings_rating WHERE series = 'official'
), ruled AS (
    SELECT r.scorecard, r.period, r.subject, r.level, v.id AS version_id,
        CASE WHEN v.definition ->> 'level' = 'score' THEN round(r.score * 100)
            ELSE (SELECT min(round(CAST(p.value AS numeric) * 100)) FROM {points_of_rating} AS p) END AS points
    FROM ratings_rating r
    JOIN campaigns_document d ON d.kind = 'scorecards' AND d.code = r.scorecard
    JOIN campaigns_documentversion v ON v.document_id = d.id AND v.number = r.version
    WHERE r.series = 'official'
), bounds AS (
    SELECT v.id AS version_id, l.value ->> 'level' AS level,
        round(CAST(coalesce(l.value ->> 'from', '0') AS numeric) * 100) AS bound
    FROM campaigns_documentversion v
    JOIN campaigns_document d ON d.id = v.document_id AND d.kind = 'scorecards'
    CROSS JOIN {levels_of_version} AS l
)
SELECT scorecard, period, subject, 'in force together with an earlier one' AS fault
FROM told WHERE starts_at < taken_until
UNION ALL
SELECT r.scorecard, r.period, r.subject, 'of no evaluation'
FROM ratings_rating r LEFT JOIN ratings_evaluation e
    ON e.scorecard = r.scorecard AND e.series = r.series AND e.period = r.period
WHERE e.id IS NULL OR r.evaluated_at <> e.evaluated_at OR r.starts_at <> e.starts_at OR r.ends_at <> e.ends_at
    OR r.version <> e.version
UNION ALL
SELECT r.scorecard, r.period, r.subject, 'not the level of its points'
FROM ruled r
WHERE NOT EXISTS (
    SELECT 1 FROM bounds b
    WHERE b.version_id = r.version_id AND b.level = r.level AND b.bound <= r.points
        AND NOT EXISTS (
            SELECT 1 FROM bounds h
            WHERE h.version_id = b.version_id AND h.bound > b.bound AND h.bound <= r.points))
