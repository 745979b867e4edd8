"""One leader among processes: an advisory lock that lives as long as its connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

_ASK_EVERY_S = 0.5
_PROBE_EVERY_S = 1.0
_ANSWER_WITHIN_S = 4.0
# a holder whose machine vanished without a word frees the lock within these
_KEEPALIVES = {"tcp_keepalives_idle": "3", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}


@asynccontextmanager
async def leading(url: str, name: str, server_settings: Mapping[str, str]) -> AsyncIterator[asyncio.Event]:
    """Wait until this process alone holds `name`, and hold it while the block runs.

    shape:  the event is set once the lock is lost: somebody else may hold it from then on
    cost:   a connection of its own, asked twice a second while waiting and once a second while holding
    errors: OSError, TimeoutError, PostgresError while waiting, when Postgres is away
    """
    settings = {**server_settings, **_KEEPALIVES}
    connection = await asyncpg.connect(url, timeout=5, command_timeout=_ANSWER_WITHIN_S, server_settings=settings)
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    probe: asyncio.Task[None] | None = None
    try:
        while True:
            if await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
                break
            await asyncio.sleep(_ASK_EVERY_S)
        probe = asyncio.create_task(_probe(connection, lost), name=f"leading-{name}")
        yield lost
    finally:
        if probe is not None:
            probe.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probe
        connection.terminate()


async def _probe(connection: "asyncpg.Connection[Any]", lost: asyncio.Event) -> None:
    """Notice a connection that is dead without having said so."""
    while not lost.is_set():
        try:
            await connection.fetchval("select 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            lost.set()
        await asyncio.sleep(_PROBE_EVERY_S)
