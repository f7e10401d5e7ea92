-- Each journal entry of a grant begins in the state in which the entry before it ended.
WITH entries AS (
    SELECT e.*, lag(target) OVER moves AS reached, lead(id) OVER moves AS later
    FROM campaigns_journalentry e WINDOW moves AS (PARTITION BY grant_id, coupon_id ORDER BY id)
)
SELECT e.id AS entry, e.grant_id AS "grant", e.source AS source, e.reached AS before
FROM entries AS e WHERE e.grant_id IS NOT NULL AND e.source <> coalesce(e.reached, '')
