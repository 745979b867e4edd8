"""Telling a database that is away, and a value it cannot hold, from a fault of ours."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_BAD_TEXT = ("22021", "22P05")

FAULTS: tuple[type[Exception], ...] = (SQLAlchemyError, ConnectionError, TimeoutError)
"""everything that asking the database can raise"""


def is_unavailable(error: Exception) -> bool:
    """Return whether an error means that Postgres is away or too slow, rather than that we asked wrongly."""
    if is_unstorable(error):
        return False
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError | ConnectionError | TimeoutError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_unstorable(error: Exception) -> bool:
    """Return whether an error means that a text or number somebody sent cannot be a value in Postgres."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    if getattr(error.orig, "sqlstate", None) in _BAD_TEXT:
        return True
    return isinstance(error.orig.__cause__, asyncpg.exceptions.DataError | asyncpg.DataError)
