"""Objects behind the S3 API: Cloudflare R2 in production, any other that speaks it."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from plyr.storage.errors import BlobMissing, StorageUnavailable
from plyr.storage.keys import checked_key
from plyr.storage.protocol import BlobInfo, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_WINDOW_BYTES = 4 * 1024 * 1024
_STEP_S = 120.0

log = structlog.get_logger()


class S3BlobStore:
    """A bucket. Requests are retried three times and end within two minutes.

    cost:   a write holds at most `_PART_BYTES * (_PARTS_AT_ONCE + 1)` bytes, whatever the store's speed
    """

    def __init__(self, bucket: str, *, endpoint: str | None, region: str) -> None:
        options = {"endpoint": endpoint} if endpoint else {}
        self._store = S3Store(
            bucket,
            region=region,
            # the connection is TLS outside tests: hashing every byte for the signature would double the cost
            unsigned_payload=True,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=90),
                "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5)},
            },
            **options,  # type: ignore[arg-type]
        )

    async def write_stream(self, key: str, pieces: AsyncIterable[Piece], *, content_type: str) -> int:
        """Write an object whole, or leave nothing; return its size in bytes."""
        writer = obstore.open_writer_async(
            self._store,
            checked_key(key),
            attributes={"Content-Type": content_type},
            buffer_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )
        size = 0
        async for piece in pieces:
            with _translated():
                async with asyncio.timeout(_STEP_S):
                    await writer.write(piece)
            size += len(piece)
        with _translated():
            async with asyncio.timeout(_STEP_S):
                await writer.close()
        return size

    async def open_range(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`, one bounded request at a time."""
        info = await self.head(key)
        if info is None:
            raise BlobMissing("there is no such object in storage")
        end = info.size_bytes if end is None else min(end, info.size_bytes)
        while start < end:
            length = min(_WINDOW_BYTES, end - start)
            with _translated():
                piece = await obstore.get_range_async(self._store, key, start=start, length=length)
            start += length
            yield bytes(piece)

    async def head(self, key: str) -> BlobInfo | None:
        """Return what is known of an object, None if there is none."""
        checked_key(key)
        try:
            with _translated():
                meta = await obstore.head_async(self._store, key)
        except BlobMissing:
            return None
        return BlobInfo(key, meta["size"], meta["last_modified"])

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        checked_key(key)
        try:
            with _translated():
                await obstore.delete_async(self._store, key)
        except BlobMissing:
            return

    async def concat(self, keys: Sequence[str], dest: str, *, content_type: str) -> int:
        """Make one object of several: copied by the store when there is one of the right type, else streamed."""
        if len(keys) == 1 and await self._content_type(keys[0]) == content_type:
            with _translated():
                await obstore.copy_async(self._store, checked_key(keys[0]), checked_key(dest))
            info = await self.head(dest)
            return info.size_bytes if info else 0
        return await self.write_stream(dest, self._chain(keys), content_type=content_type)

    async def list_blobs(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Yield every object whose key begins with a folder's name."""
        with _translated():
            async for page in obstore.list(self._store, prefix=prefix or None):
                for meta in page:
                    yield BlobInfo(meta["path"], meta["size"], meta["last_modified"])

    async def check_ready(self) -> None:
        """List nothing in particular: only a bucket that is there and a key that fits let us."""
        async with asyncio.timeout(5):
            async for _ in self.list_blobs("ready"):
                return

    async def close(self) -> None:
        """Nothing is held between requests."""

    async def _chain(self, keys: Sequence[str]) -> AsyncIterator[bytes]:
        for key in keys:
            async for piece in self.open_range(key):
                yield piece

    async def _content_type(self, key: str) -> str | None:
        with _translated():
            answer = await obstore.get_async(self._store, checked_key(key), options={"range": (0, 1)})
        return answer.attributes.get("Content-Type")


@contextmanager
def _translated() -> "Iterator[None]":
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissing("there is no such object in storage") from error
    except TimeoutError as error:
        raise StorageUnavailable("storage is silent; it was given two minutes") from error
    except (BaseError, OSError, ValueError) as error:
        log.warning("storage_failed", error=str(error).partition("\n")[0][:300])
        raise StorageUnavailable("storage refused or failed, three retries included") from error
