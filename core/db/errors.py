"""Kinds of database errors after which the caller should try again: a lock timeout, a database that is unavailable."""

import sqlite3

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, InternalError, OperationalError

READ_ONLY_TRANSACTION = "25006"
"""SQLSTATE of a write in a read-only transaction: on a standby, or while the database is set to read-only."""
LOCK_NOT_AVAILABLE = "55P03"
"""SQLSTATE of a lock that was not granted within `FAIRGROUND_LOCK_SECONDS`."""
QUERY_CANCELED = "57014"
"""SQLSTATE of a statement that was ended: by its time limit, or by an administrator."""
PASSING_CLASSES = ("08", "40", "53", "57", "58")
"""SQLSTATE classes of errors that pass: connections, deadlocks, resources, cancelled statements, the system."""
PASSING_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
RETRY_HEADERS = {"Retry-After": "2"}
"""HTTP headers of the response to a request that failed with such an error; in seconds."""


def is_lock_timeout(error: BaseException) -> bool:
    """Return true when another transaction held a needed lock for too long."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE


def is_canceled(error: BaseException) -> bool:
    """Return true when PostgreSQL ended the statement: it took too long, or an administrator cancelled it."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") == QUERY_CANCELED


def is_unavailable(error: BaseException | None) -> bool:
    """Return true when the same request may well succeed later."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", "") == READ_ONLY_TRANSACTION
    return isinstance(error, OperationalError)


def is_transient(error: BaseException) -> bool:
    """Return true for an error of circumstances: whatever rows the work concerns, it may well succeed later.

    `is_unavailable` is wider: SQLite reports errors in the evaluation of a row as operational errors too.
    """
    if isinstance(error, MemoryError | OSError | SoftTimeLimitExceeded | InterfaceError):
        return True
    if not isinstance(error, OperationalError | InternalError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in PASSING_CODES
    state = getattr(cause, "sqlstate", None)
    if state is None:  # the connection broke: the server could not give a code
        return isinstance(error, OperationalError)
    return state in (READ_ONLY_TRANSACTION, LOCK_NOT_AVAILABLE) or state.startswith(PASSING_CLASSES)
