"""One engine a process, every connection with deadlines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from plyr.db.leading import leading
from plyr.db.listening import Inbox, Notifications

_SERVER_SETTINGS = {
    "statement_timeout": "15000",
    "lock_timeout": "8000",
    "idle_in_transaction_session_timeout": "20000",
    "timezone": "UTC",
}


class Database:
    """Postgres as this process sees it.

    cost:   at most `pool_size` connections and one to listen; waiting for one is bounded
    errors: sqlalchemy's TimeoutError when no connection comes free, DBAPIError for the rest
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, statement_s: float | None = 20, application_name: str = "plyr"
    ) -> None:
        settings = {**_SERVER_SETTINGS, "application_name": application_name}
        self._url, self._settings = _with_scheme(url, "postgresql"), settings
        self._notifications = Notifications(self._url, settings)
        self._engine = create_async_engine(
            _with_scheme(url, "postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_recycle=1800,
            connect_args={"timeout": 5, "command_timeout": statement_s, "server_settings": settings},
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @property
    def engine(self) -> AsyncEngine:
        """The SQLAlchemy engine, for migrations and for counting statements."""
        return self._engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open one transaction, committed when the block ends and rolled back when it raises."""
        async with self._sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Inbox]:
        """Open an inbox of what is notified on a channel from now on.

        shape:  payloads in order; an empty one means "something may have been missed, read again"
        cost:   one connection shared by every listener of the process
        """
        async with self._notifications.subscribe(channel) as inbox:
            yield inbox

    @asynccontextmanager
    async def lead(self, name: str) -> AsyncIterator[asyncio.Event]:
        """Wait until this process alone leads in `name`, and hold that while the block runs.

        shape:  the event is set once it is lost: from then on somebody else may lead
        cost:   a connection of its own to Postgres itself, not to a pool of connections
        errors: OSError, TimeoutError, asyncpg's PostgresError while waiting, when Postgres is away
        """
        async with leading(self._url, name, self._settings) as lost:
            yield lost

    async def ping(self) -> None:
        """Ask Postgres for an answer."""
        async with self.begin() as session:
            await session.execute(text("select 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._notifications.close()
        await self._engine.dispose()


async def notify(session: AsyncSession, channel: str, payload: str) -> None:
    """Tell the listeners of a channel, once this transaction commits.

    units:  the payload is at most 8000 bytes
    """
    await session.execute(text("select pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})


def _with_scheme(url: str, scheme: str) -> str:
    return scheme + url[url.index("://") :]
