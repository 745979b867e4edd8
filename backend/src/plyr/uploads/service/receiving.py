"""Bytes of an upload into storage: in durable chunks, each of which moves the offset, one sender at a time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import structlog

from plyr.db import Database, Session
from plyr.jobs import service as jobs
from plyr.kit.ids import Did, UploadId
from plyr.media.errors import MediaRefused
from plyr.media.formats import sniff
from plyr.storage import BlobStore, keys
from plyr.storage import service as storage
from plyr.storage.protocol import Piece
from plyr.uploads import repo
from plyr.uploads.errors import ConnectionDropped, OffsetMismatch, TooManyBytes, UploadBusy, UploadGone, UploadTooLarge
from plyr.uploads.service.lifecycle import owner_of, require, start_job
from plyr.uploads.views import RECEIVING_SHARE_PCT, Chunk, Lease, UploadRow

CHUNK_BYTES = 32 * 1024 * 1024
CHUNK_S = 30.0
LEASE = timedelta(seconds=9)
_RENEW_S = 3.0
_IDLE_S = 60.0
_UNKNOWN_TYPE = "application/octet-stream"

log = structlog.get_logger()


async def append(
    db: Database,
    store: BlobStore,
    upload_id: UploadId,
    owner: Did,
    offset_bytes: int,
    source: AsyncIterator[Piece],
    *,
    limit_bytes: int,
) -> int:
    """Append what `source` yields, and return where the upload stands then.

    shape:  a chunk is made durable every 32 MB or 30 s and at the end; a broken connection keeps what arrived,
            a killed process loses at most the open chunk
    errors: UploadNotFound, UploadGone (410), UploadBusy (423), OffsetMismatch (409), UploadTooLarge or
            TooManyBytes (413), ConnectionDropped after keeping what arrived, StorageUnavailable (503)
    cost:   2 MB of memory and two transactions a chunk; no connection to the database is held while bytes flow
    """
    async with db.begin() as session:
        lease = await _take(session, upload_id, owner, offset_bytes)
    incoming = _Incoming(source, lease, limit_bytes)
    keeper = asyncio.create_task(_keep(db, lease))
    try:
        offset_bytes = await _receive(db, store, lease, incoming)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        async with db.begin() as session:
            await repo.drop_lease(session, lease)
    if incoming.fault:
        raise incoming.fault
    return offset_bytes


class _Incoming:
    """What a sender sends, cut into chunks; a fault ends the bytes and is told after they are durable."""

    def __init__(self, source: AsyncIterator[Piece], lease: Lease, limit_bytes: int) -> None:
        self._source = source
        self._left = (lease.size_bytes if lease.size_bytes is not None else limit_bytes) - lease.offset_bytes
        self._overflow = TooManyBytes(lease.size_bytes) if lease.size_bytes is not None else UploadTooLarge(limit_bytes)
        self._first: Piece | None = None
        self.fault: ConnectionDropped | TooManyBytes | UploadTooLarge | None = None

    async def peek(self) -> Piece | None:
        """Return the first piece of the next chunk, None at the end."""
        if self._first is None:
            self._first = await self._next()
        return self._first

    async def chunk(self) -> AsyncIterator[Piece]:
        """Yield the pieces of one chunk."""
        size, began = 0, time.monotonic()
        while (piece := await self.peek()) is not None:
            self._first = None
            size += len(piece)
            yield piece
            if size >= CHUNK_BYTES or time.monotonic() - began > CHUNK_S:
                return

    async def _next(self) -> Piece | None:
        if self.fault:
            return None
        try:
            async with asyncio.timeout(_IDLE_S):
                piece: Piece = b""
                while not piece:
                    piece = await anext(self._source)
        except StopAsyncIteration:
            return None
        except (ConnectionDropped, TimeoutError):
            self.fault = ConnectionDropped()
            return None
        if len(piece) > self._left:
            self.fault = self._overflow
            piece = memoryview(piece)[: self._left]
        self._left -= len(piece)
        return piece or None


async def _take(session: Session, upload_id: UploadId, owner: Did, offset_bytes: int) -> Lease:
    lease = await repo.take_lease(session, upload_id, owner, uuid4(), offset_bytes, LEASE)
    if lease is not None:
        return lease
    upload = await require(session, upload_id, owner)
    if upload.released_at is not None:
        raise UploadGone()
    if await repo.is_leased(session, upload_id):
        raise UploadBusy()
    raise OffsetMismatch(upload.offset_bytes)


async def _receive(db: Database, store: BlobStore, lease: Lease, incoming: _Incoming) -> int:
    offset = lease.offset_bytes
    while (first := await incoming.peek()) is not None:
        content_type = _guess_type(first) if offset == 0 else _UNKNOWN_TYPE
        async with db.begin() as session:
            number = await repo.next_chunk(session, lease)
            if number is None:
                raise UploadBusy()
            key = keys.chunk_key(lease.upload_id, number)
            await storage.claim(session, key, owner_of(lease.upload_id), content_type=content_type)
        size = await store.write_stream(key, incoming.chunk(), content_type=content_type)
        async with db.begin() as session:
            # the upload's row before its objects' rows, as everybody takes them: no deadlock with a cancel
            upload = await repo.add_chunk(session, lease, Chunk(number, offset, size))
            if upload is None:
                raise UploadBusy()
            await storage.confirm(session, key, size_bytes=size)
            await _tell(session, upload)
        offset += size
    return offset


async def _tell(session: Session, upload: UploadRow) -> None:
    if upload.is_complete and upload.submitted_at is not None:
        await start_job(session, upload.id)
        return
    share = upload.offset_bytes / upload.size_bytes if upload.size_bytes else 0.0
    message = "the file is here; waiting for its title" if upload.is_complete else "receiving the file"
    await jobs.report(session, upload.id, phase="receiving", pct=share * RECEIVING_SHARE_PCT, message=message)


async def _keep(db: Database, lease: Lease) -> None:
    """Renew a lease for ever; one that was lost is noticed when the next chunk is to be counted."""
    while True:
        await asyncio.sleep(_RENEW_S)
        try:
            async with db.begin() as session:
                await repo.extend_lease(session, lease, LEASE)
        except Exception as error:
            log.warning("upload_lease_not_renewed", upload=str(lease.upload_id), error=type(error).__name__)


def _guess_type(first: Piece) -> str:
    try:
        return sniff(bytes(first[:65536])).content_type
    except MediaRefused:
        return _UNKNOWN_TYPE
