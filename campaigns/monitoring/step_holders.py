"""Sessions of PostgreSQL that hold a step of the tick, so that no other tick runs it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from campaigns.models import TickStep

# `quarantine.alone` locks a step by an advisory lock, whose 64-bit key PostgreSQL shows in two halves. A session that
# waits for another one of them, for rows of the same offers, is not the cause and is left out.
HOLDERS = f"""
    WITH held AS (
        SELECT step.name, step.tried_at, locks.pid, pg_blocking_pids(locks.pid) AS blocked_by
        FROM {TickStep._meta.db_table} AS step
        JOIN pg_locks AS locks ON locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
            AND (locks.classid::bigint << 32 | locks.objid::bigint)
                = hashtextextended(step.name, '{TickStep._meta.db_table}'::regclass::oid::bigint)
        JOIN pg_database ON pg_database.oid = locks.database AND datname = current_database()
    )
    SELECT name, tried_at, pid, coalesce(application_name, ''), (
        SELECT count(*) FROM pg_stat_activity AS other
        WHERE other.wait_event_type = 'Lock' AND held.pid = ANY(pg_blocking_pids(other.pid))
    )
    FROM held LEFT JOIN pg_stat_activity AS activity USING (pid)
    WHERE NOT EXISTS (SELECT 1 FROM held AS other WHERE other.pid = ANY(held.blocked_by))
    ORDER BY tried_at, name
"""  # noqa: S608  own names


@dataclass(frozen=True)
class Holder:
    """Session `pid` of `program` that runs a step since an instant; `waiting` sessions wait for its locks."""

    step: TickStep
    since: datetime | None
    pid: int
    program: str
    waiting: int


def holders() -> list[Holder]:
    """Return the sessions that hold a step, the longest first. SQLite has no sessions."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS)
        return [Holder(TickStep(name=name), *rest) for name, *rest in cursor.fetchall()]
