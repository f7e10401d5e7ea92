"""Whether the database is away or too busy: an error that says nothing of what was asked, only to ask again."""

from django.db import InternalError, OperationalError

READ_ONLY = "25006"
"""PostgreSQL's word for a write in a read-only transaction: on a standby, or one that was made so by hand."""
AGAIN_IN = {"Retry-After": "2"}
"""What who asks is told, in seconds."""


LOCKED = "55P03"
"""Its word for a lock that was not to be had in time (`FAIRGROUND_LOCK_SECONDS`)."""


def is_locked(error: BaseException) -> bool:
    """Whether somebody else held for too long what was needed."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") == LOCKED


def is_away(error: BaseException | None) -> bool:
    """Whether asking again later may well succeed."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", "") == READ_ONLY
    return isinstance(error, OperationalError)
