"""The job of an upload: from chunks to a track whose record is on its way. Safe to repeat from any point."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from functools import partial

from plyr.jobs import service as jobs
from plyr.jobs.errors import JobFailed
from plyr.jobs.runner import MAX_ATTEMPTS, JobContext
from plyr.media.errors import MediaRefused
from plyr.media.formats import HEAD_BYTES, sniff
from plyr.media.service import examine_audio
from plyr.storage import BlobStore, keys
from plyr.storage.errors import BlobMissing, StorageUnavailable
from plyr.tracks.errors import DuplicateTrack
from plyr.uploads.service import cover_keys, steps
from plyr.uploads.views import UploadRow

_REPORT_EVERY_S = 1.0
_STORAGE_FAILED = "storage did not answer in several attempts; your audio was kept, try again in a while"
_COVER_LOST = "the cover did not arrive whole; your audio was kept, choose the cover again and retry"


async def process_upload(context: JobContext) -> None:
    """Assemble, check and publish one upload; an upload that was cancelled meanwhile ends silently.

    errors: JobFailed with what its owner reads; anything else is tried again
    cost:   the file is read once or twice and written at most once; memory is flat in its size
    """
    work = _Work(context)
    try:
        for step in (work.assemble, work.check, work.look_at_cover, work.publish):
            if not await step():
                return
    except MediaRefused as refusal:
        await work.refuse(refusal.code, refusal.detail)
    except DuplicateTrack as duplicate:
        await work.refuse(duplicate.code, duplicate.detail, {"track_id": duplicate.track_id})
    except (StorageUnavailable, BlobMissing) as error:
        if context.attempt >= MAX_ATTEMPTS:
            raise JobFailed("storage_failed", _STORAGE_FAILED) from error
        raise


class _Work:
    """One run of the job. Each step says whether to go on: False when the upload is gone."""

    def __init__(self, context: JobContext) -> None:
        self._db = context.db
        self._id = context.job.id
        self._settings = context.resources.settings
        self._store: BlobStore = context.resources.storage

    async def assemble(self) -> bool:
        """Make one object of the chunks, of a type that its first bytes tell, and know its hash."""
        loaded = await self._load()
        if loaded is None:
            return False
        upload, chunk_keys = loaded
        if upload.track_id is not None:
            return await self.publish() and False
        if upload.assembled_at is not None:
            return True
        await self._report("assembling", 50, "putting the file together")
        audio_key = keys.audio_key(upload.file_id)
        there = await self._store.head(audio_key)
        is_whole = there is not None and there.size_bytes == upload.size_bytes
        sources = [audio_key] if is_whole else chunk_keys
        content_type = sniff(await self._head_of(sources)).content_type
        sha256 = await self._hash(upload, sources)
        async with self._db.begin() as session:
            if not await steps.claim_audio(session, upload, content_type, sha256):
                return False
        if not is_whole:
            size = await self._store.concat(chunk_keys, audio_key, content_type=content_type)
            if size != upload.size_bytes:
                raise StorageUnavailable(f"the assembled file has {size} bytes instead of {upload.size_bytes}")
        async with self._db.begin() as session:
            if await steps.save_assembled(session, upload, sha256):
                return True
        await self._store.delete(audio_key)
        return False

    async def check(self) -> bool:
        """Find out what the file really is."""
        loaded = await self._load()
        if loaded is None:
            return False
        upload, _ = loaded
        if upload.facts is not None:
            return True
        await self._report("checking", 75, "listening into the file")
        read = partial(self._store.open_range, keys.audio_key(upload.file_id))
        facts = await examine_audio(read, upload.size_bytes or 0)
        async with self._db.begin() as session:
            return await steps.save_facts(session, self._id, facts)

    async def look_at_cover(self) -> bool:
        """See that every size of the cover is there."""
        loaded = await self._load()
        if loaded is None:
            return False
        upload, _ = loaded
        await self._report("cover", 85, "looking at the cover")
        for key in cover_keys(upload.image_id) if upload.image_id else []:
            if await self._store.head(key) is None:
                raise JobFailed("image_invalid", _COVER_LOST)
        return True

    async def publish(self) -> bool:
        """Make the track, unseen until its record is in the repo."""
        async with self._db.begin() as session:
            await steps.publish(session, self._id, self._settings)
        return True

    async def refuse(self, code: str, detail: str, result: dict[str, object] | None = None) -> None:
        """End the upload for good."""
        async with self._db.begin() as session:
            await steps.refuse(session, self._id, code, detail, result)

    async def _load(self) -> tuple[UploadRow, list[str]] | None:
        async with self._db.begin() as session:
            return await steps.load(session, self._id)

    async def _report(self, phase: str, pct: float, message: str) -> None:
        async with self._db.begin() as session:
            await jobs.report(session, self._id, phase=phase, pct=pct, message=message)

    async def _head_of(self, sources: list[str]) -> bytes:
        head = bytearray()
        async for piece in self._chain(sources):
            head += piece
            if len(head) >= HEAD_BYTES:
                break
        return bytes(head[:HEAD_BYTES])

    async def _hash(self, upload: UploadRow, sources: list[str]) -> str:
        digest, read, reported_at = hashlib.sha256(), 0, time.monotonic()
        async for piece in self._chain(sources):
            await asyncio.to_thread(digest.update, piece)
            read += len(piece)
            if time.monotonic() - reported_at > _REPORT_EVERY_S:
                reported_at = time.monotonic()
                share = read / (upload.size_bytes or read)
                await self._report("assembling", 50 + 20 * share, "putting the file together")
        return digest.hexdigest()

    async def _chain(self, sources: list[str]) -> AsyncIterator[bytes]:
        for key in sources:
            async for piece in self._store.open_range(key):
                yield piece
