"""Telling a database that is away, and a value it cannot hold, from a fault of ours."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_BAD_TEXT = ("22021", "22P05")
# connection, serialization and deadlock, resources, lock not available, operator intervention, system; and a table or
# column that is not there: code and schema do not fit, which the value at hand has no part in
_PASSING = ("08", "40", "42", "53", "55P03", "57", "58")

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


def is_passing(error: BaseException) -> bool:
    """Return whether the same may succeed when asked again: Postgres is away, busy, or being migrated."""
    if isinstance(error, OSError | TimeoutError | asyncpg.PostgresConnectionError | asyncpg.InterfaceError):
        return True
    if isinstance(error, Exception) and is_unavailable(error):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "").startswith(_PASSING)
