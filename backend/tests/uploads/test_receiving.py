"""bytes into storage: whatever breaks, the offset tells the truth and nothing is sent twice."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from plyr.kit.ids import JobId
from plyr.storage import keys
from plyr.storage.errors import StorageUnavailable
from plyr.storage.models import MediaObject
from plyr.storage.protocol import BlobStore
from plyr.uploads import service
from plyr.uploads.errors import ConnectionDropped, UploadBusy
from plyr.uploads.models import Upload, UploadChunk
from plyr.uploads.service import receiving, steps
from tests.fixtures.uploads import OpenStudio, Studio

LIMIT = 10_000_000


async def send(studio: Studio, upload_id: str, offset: int, pieces: list[bytes], *, breaks: bool = False) -> int:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if breaks:
            raise ConnectionDropped

    store = studio.resources.storage
    return await service.append(
        studio.db, store, JobId(UUID(upload_id)), studio.did, offset, source(), limit_bytes=LIMIT
    )


async def kept(studio: Studio, upload_id: str) -> bytes:
    async with studio.db.begin() as session:
        loaded = await steps.load(session, JobId(UUID(upload_id)))
    assert loaded is not None
    found = b""
    for key in loaded[1]:
        found += b"".join([piece async for piece in studio.resources.storage.open_range(key)])
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_connection_dropped_anywhere_and_resumed_is_byte_identical(
    open_studio: OpenStudio, storage_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    studio = await open_studio(storage_url=storage_url)
    monkeypatch.setattr(receiving, "CHUNK_BYTES", 40_000)
    chance = random.Random(seed)
    data = chance.randbytes(chance.randint(1, 300_000))
    upload_id, sent = await studio.begin(len(data)), 0
    while (offset := await studio.offset(upload_id)) < len(data):
        until = chance.randint(offset, len(data))
        pieces = [data[start : min(start + 7000, until)] for start in range(offset, until, 7000)]
        sent += until - offset
        with pytest.raises(ConnectionDropped):
            await send(studio, upload_id, offset, pieces, breaks=True)
        assert await studio.offset(upload_id) == until
    assert sent == len(data)
    assert await kept(studio, upload_id) == data


async def test_storage_fails_offset_stays_and_the_next_try_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = await studio.begin(6)
    await send(studio, upload_id, 0, [b"abc"])
    folder = studio.resources.storage._root / ".partial"  # type: ignore[attr-defined]
    folder.rmdir()
    folder.write_text("a file in the way")
    with pytest.raises(StorageUnavailable):
        await send(studio, upload_id, 3, [b"xyz"])
    assert await studio.offset(upload_id) == 3
    folder.unlink()
    assert await send(studio, upload_id, 3, [b"def"]) == 6
    assert await kept(studio, upload_id) == b"abcdef"


async def test_sender_whose_lease_was_taken_over_cannot_move_the_offset(studio: Studio) -> None:
    upload_id = await studio.begin(6)
    began, end = asyncio.Event(), asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"abc"
        began.set()
        await end.wait()

    store = studio.resources.storage
    old = asyncio.create_task(
        service.append(studio.db, store, JobId(UUID(upload_id)), studio.did, 0, stalled(), limit_bytes=LIMIT)
    )
    await began.wait()
    async with studio.db.begin() as session:
        await session.execute(update(Upload).values(lease_until=func.now() - receiving.LEASE))
    assert await send(studio, upload_id, 0, [b"ABCDEF"]) == 6
    end.set()
    with pytest.raises(UploadBusy):
        await old
    assert await kept(studio, upload_id) == b"ABCDEF"


async def test_every_byte_written_has_an_owner_before_it_is_there(studio: Studio) -> None:
    upload_id = await studio.begin(6)
    with pytest.raises(ConnectionDropped):
        await send(studio, upload_id, 0, [b"abc"], breaks=True)
    async with studio.db.begin() as session:
        owners = (await session.execute(select(MediaObject.key, MediaObject.owner_kind, MediaObject.owner_id))).all()
        chunks = (await session.execute(select(UploadChunk.number, UploadChunk.offset_bytes))).all()
    assert [tuple(row) for row in owners] == [(keys.chunk_key(JobId(UUID(upload_id)), 0), "upload", upload_id)]
    assert [tuple(row) for row in chunks] == [(0, 0)]


class _SlowStore:
    """a store that takes its time for every piece, noting how much has been handed to it."""

    def __init__(self, store: BlobStore) -> None:
        self._store, self.taken = store, 0

    async def write_stream(self, key: str, pieces: AsyncIterator[bytes], *, content_type: str) -> int:
        async def slowly() -> AsyncIterator[bytes]:
            async for piece in pieces:
                await asyncio.sleep(0.002)
                self.taken += len(piece)
                yield piece

        return await self._store.write_stream(key, slowly(), content_type=content_type)


async def test_slow_store_holds_the_sender_back(studio: Studio) -> None:
    """nothing is read ahead of the store: what was taken from the sender is what the store was given."""
    slow, given, ahead = _SlowStore(studio.resources.storage), 0, 0
    block = os.urandom(50_000)
    upload_id = await studio.begin(len(block) * 100)

    async def source() -> AsyncIterator[bytes]:
        nonlocal given, ahead
        for _ in range(100):
            given += len(block)
            ahead = max(ahead, given - slow.taken)
            yield block

    store = cast("BlobStore", slow)
    await service.append(studio.db, store, JobId(UUID(upload_id)), studio.did, 0, source(), limit_bytes=LIMIT)
    assert ahead <= 2 * len(block)


async def test_append_while_it_is_cancelled_ends_in_an_answer_and_leaves_nothing(studio: Studio) -> None:
    for _ in range(12):
        upload_id = await studio.begin(300_000)
        sent, cancelled = await asyncio.gather(
            studio.patch(upload_id, 0, bytes(300_000)), studio.client.delete(f"/uploads/{upload_id}")
        )
        assert cancelled.status_code == 204, cancelled.text
        assert sent.status_code in (204, 404, 410, 423), sent.text
    async with studio.db.begin() as session:
        kept = select(func.count()).select_from(MediaObject).where(MediaObject.delete_after.is_(None))
        assert await session.scalar(kept) == 0
