"""a store slower than the sender: the sender waits, nothing piles up in memory."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from plyr.storage import open_store
from tests.fixtures.storage import CREDENTIALS, S3Server

MB = 1024 * 1024
TOTAL_MB = 96


class _Throttle:
    """a proxy before the real store that lets a few MB a second through, counting them."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self._port, self._bytes_per_s = port, bytes_per_s
        self.passed = 0
        self._open: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """break what is still open."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """carry one connection, both ways."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(
                self._carry(reader, inner_writer, slow=True), self._carry(inner_reader, writer, slow=False)
            )
        finally:
            for end in (writer, inner_writer):
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
                if slow:
                    self.passed += len(piece)
                    await asyncio.sleep(len(piece) / self._bytes_per_s)
        writer.close()


async def test_write_stream_to_a_slow_s3_takes_no_more_than_its_buffers(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    throttle = _Throttle(urlsplit(s3_server.endpoint).port or 0, 12 * MB)
    server = await asyncio.start_server(throttle.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = open_store(s3_server.url(s3_server.new_bucket(), f"http://127.0.0.1:{port}"))
    block, given, ahead = os.urandom(MB), 0, 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal given, ahead
        for _ in range(TOTAL_MB):
            given += MB
            ahead = max(ahead, given - throttle.passed)
            yield block

    key = "audio/" + "a" * 32
    assert await store.write_stream(key, source(), content_type="audio/wav") == TOTAL_MB * MB
    assert ahead <= 40 * MB
    info = await store.head(key)
    assert info is not None
    assert info.size_bytes == TOTAL_MB * MB
    await store.close()
    server.close()
    await throttle.close()
