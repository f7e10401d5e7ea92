"""Kinds of database errors after which the caller should try again: a lock timeout, a database that is unavailable."""

from django.db import InternalError, OperationalError

READ_ONLY_TRANSACTION = "25006"
"""SQLSTATE of a write in a read-only transaction: on a standby, or while the database is set to read-only."""
LOCK_NOT_AVAILABLE = "55P03"
"""SQLSTATE of a lock that was not granted within `FAIRGROUND_LOCK_SECONDS`."""
RETRY_HEADERS = {"Retry-After": "2"}
"""HTTP headers of the response to a request that failed with such an error; in seconds."""


def is_lock_timeout(error: BaseException) -> bool:
    """Return true when another transaction held a needed lock for too long."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE


def is_unavailable(error: BaseException | None) -> bool:
    """Return true when the same request may well succeed later."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", "") == READ_ONLY_TRANSACTION
    return isinstance(error, OperationalError)
