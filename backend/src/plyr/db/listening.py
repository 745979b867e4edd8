"""NOTIFY as streams: one connection a process, shared by everybody who listens."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

_RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)
_BACKLOG = 1000

Inbox = asyncio.Queue[str]


class Notifications:
    """The process's ear on Postgres.

    shape:  a subscriber's inbox yields payloads in order; an empty payload means "something may have
            been missed, read again": it comes after each lost connection and when an inbox overflowed
    cost:   one connection while anybody listens, none otherwise
    """

    def __init__(self, url: str, server_settings: Mapping[str, str]) -> None:
        self._url = url
        self._settings = dict(server_settings)
        self._inboxes: dict[str, set[Inbox]] = defaultdict(set)
        self._connection: asyncpg.Connection[Any] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Inbox]:
        """Open an inbox for one channel; what is notified after this line arrives in it."""
        inbox: Inbox = asyncio.Queue(_BACKLOG)
        self._inboxes[channel].add(inbox)
        try:
            async with asyncio.timeout(10), self._turn:
                await self._join(channel)
            yield inbox
        finally:
            self._inboxes[channel].discard(inbox)
            async with self._turn:
                await self._leave(channel)

    async def close(self) -> None:
        """Stop listening."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    async def _join(self, channel: str) -> None:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="postgres-listen")
        await self._ready.wait()
        if self._connection is not None:
            await self._connection.add_listener(channel, self._deliver)

    async def _leave(self, channel: str) -> None:
        if self._inboxes.get(channel):
            return
        self._inboxes.pop(channel, None)
        if not self._inboxes:
            await self.close()
        elif self._connection is not None and not self._connection.is_closed():
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await self._connection.remove_listener(channel, self._deliver)

    async def _keep(self) -> None:
        attempt = 0
        while True:
            try:
                await self._listen_until_lost()
                attempt = 0
            except (OSError, asyncpg.PostgresError, TimeoutError):
                attempt += 1
            self._ready.clear()
            await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])

    async def _listen_until_lost(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(self._url, timeout=5, server_settings=self._settings)
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            for channel in list(self._inboxes):
                await connection.add_listener(channel, self._deliver)
                self._deliver(connection, 0, channel, "")
            self._connection = connection
            self._ready.set()
            await lost.wait()
        finally:
            self._connection = None
            self._ready.clear()
            connection.terminate()

    def _deliver(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for inbox in self._inboxes.get(channel, ()):
            if inbox.qsize() >= _BACKLOG - 1:
                while not inbox.empty():
                    inbox.get_nowait()
                inbox.put_nowait("")
            inbox.put_nowait(str(payload))
