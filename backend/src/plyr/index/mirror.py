"""Copies of audio that other clients left on their author's server: fetched, proven, checked, then shown."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import cast

import structlog

from plyr.atproto.errors import AnswerUnusable, AtprotoError
from plyr.atproto.sync import repos as hosts
from plyr.atproto.sync.dag_cbor import cid_bytes
from plyr.atproto.sync.errors import DataInvalid, HostRefused, RepoUnavailable
from plyr.db import Session
from plyr.index import repo
from plyr.index.reconcile import find_home
from plyr.index.resources import RepairResources
from plyr.jobs import service as jobs
from plyr.jobs.errors import JobFailed
from plyr.jobs.runner import MAX_ATTEMPTS, JobContext
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import Cid, FileId, Rev
from plyr.kit.record_events import RecordEvent
from plyr.media.errors import MediaRefused
from plyr.media.formats import HEAD_BYTES, sniff
from plyr.media.service import examine_audio
from plyr.storage import keys
from plyr.storage import service as storage
from plyr.storage.errors import NotOwner, StorageUnavailable
from plyr.tracks import service as tracks
from plyr.tracks.records import audio_blob
from plyr.tracks.views import AudioCopy, SourceView

MAX_BLOB_BYTES = 100 * 1024 * 1024
_WRONG_BYTES = "the author's server gave other bytes than the record names, so they were not kept"
_TOO_LARGE = "the audio is larger than the record says, or than we take; it was not kept"

log = structlog.get_logger()


class _Superseded(Exception):
    """The record was replaced or deleted meanwhile: whatever it is now decides."""


async def mirror_audio(context: JobContext) -> None:
    """The job: copy the audio of one version of a record from its author's server and show the track.

    shape:  the object's row is there before its bytes; a copy that fails any check is given up again; audio that a
            record only links to is never fetched
    errors: JobFailed with the reason; a silent host or store is tried again
    cost:   the file once over the network and once out of storage; memory is flat in its size
    """
    event = _event_of(context)
    try:
        result = await _copy(context.resources, event)
    except _Superseded:
        result = {"superseded": True}
    except (MediaRefused, DataInvalid, AnswerUnusable, HostRefused, RepoUnavailable) as error:
        raise JobFailed(*_reason(error)) from error
    except (AtprotoError, StorageUnavailable) as error:
        if context.attempt >= MAX_ATTEMPTS:
            raise JobFailed(error.code, f"the audio could not be copied: {error.detail}") from error
        raise
    async with context.db.begin() as session:
        await jobs.complete(session, context.job.id, result)


async def _copy(resources: RepairResources, event: RecordEvent) -> dict[str, object]:
    copying = _Copying(resources, event)
    try:
        return await copying.run()
    except Exception:
        await copying.give_up()
        raise


class _Copying:
    """One attempt."""

    def __init__(self, resources: RepairResources, event: RecordEvent) -> None:
        self._resources = resources
        self._db, self._store = resources.db, resources.storage
        self._event = event
        self._blob = audio_blob(event)
        self._claimed: tuple[storage.Owner, str] | None = None

    async def run(self) -> dict[str, object]:
        source = await self._standing()
        if self._blob is None or source.upload_id is not None or source.blob_cid == self._blob:
            return {"track_id": source.id}
        await self._give_up_leftovers(source)
        file_id = keys.new_file_id()
        size = await self._fetch(source, file_id, self._blob)
        read = partial(self._store.open_range, keys.audio_key(file_id))
        facts = await examine_audio(read, size)
        digest = cid_bytes(self._blob)[4:].hex()
        copy = AudioCopy(self._blob, file_id, facts.file_type, facts.duration_ms, size, digest)
        await self._show(source, copy)
        log.info("audio_mirrored", uri=self._event.uri, size_bytes=size)
        return {"track_id": source.id}

    async def give_up(self) -> None:
        """Give up what this attempt stored."""
        if self._claimed is not None:
            owner, key = self._claimed
            async with self._db.begin() as session:
                await storage.release(session, owner, keys=[key], reason="the copy failed its checks")

    async def _give_up_leftovers(self, source: SourceView) -> None:
        """Give up what killed attempts left: all audio of the track but its file."""
        current = keys.audio_key(source.file_id) if source.file_id else None
        async with self._db.begin() as session:
            owned = await storage.list_owned(session, _owner(source))
            left = [row.key for row in owned if row.key.startswith("audio/") and row.key != current]
            if left:
                await storage.release(session, _owner(source), keys=left, reason="a copy that was not finished")

    async def _standing(self) -> SourceView:
        async with self._db.begin() as session:
            return await self._require_standing(session)

    async def _require_standing(self, session: Session) -> SourceView:
        """Hold the record's row. errors: _Superseded when it is another version now, or gone."""
        event = self._event
        if not await repo.touch_standing(session, event.uri, event.cid or Cid("")):
            raise _Superseded
        source = await tracks.find_source(session, event.uri)
        if source is None:
            raise _Superseded
        return source

    async def _fetch(self, source: SourceView, file_id: FileId, blob: Cid) -> int:
        resources, did = self._resources, self._event.did
        home = await find_home(resources, did)
        most = min(MAX_BLOB_BYTES, resources.settings.upload_max_bytes)
        blob_parts = hosts.stream_blob(resources.http, home, did, blob, max_bytes=most)
        async with aclosing(cast("AsyncGenerator[bytes, None]", blob_parts)) as parts:
            head = bytearray()
            async for part in parts:
                head += part
                if len(head) >= HEAD_BYTES:
                    break
            content_type = sniff(bytes(head[:HEAD_BYTES])).content_type
            async with self._db.begin() as session:
                await self._require_standing(session)
                key = keys.audio_key(file_id)
                await storage.claim(session, key, _owner(source), content_type=content_type)
            self._claimed = _owner(source), key
            return await self._store.write_stream(key, _joined(bytes(head), parts), content_type=content_type)

    async def _show(self, source: SourceView, copy: AudioCopy) -> None:
        key, owner = keys.audio_key(copy.file_id), _owner(source)
        async with self._db.begin() as session:
            before = await self._require_standing(session)
            try:
                await storage.confirm(session, key, size_bytes=copy.size_bytes, sha256=copy.audio_sha256)
            except NotOwner:
                raise _Superseded from None
            if before.file_id is not None:
                replaced = [keys.audio_key(before.file_id)]
                await storage.release(session, owner, keys=replaced, reason="its author replaced the audio")
            await tracks.show_copy(session, self._event, copy)
            await storage.publish(session, owner)


async def _joined(head: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for part in parts:
        yield part


def _event_of(context: JobContext) -> RecordEvent:
    asked = context.job.payload
    did, collection, rkey = split_at_uri(asked["uri"])
    return RecordEvent(did, Rev(asked["rev"]), collection, rkey, "put", Cid(asked["cid"]), asked["record"])


def _owner(source: SourceView) -> storage.Owner:
    return storage.Owner("track", str(source.id))


def _reason(error: MediaRefused | AtprotoError) -> tuple[str, str]:
    if isinstance(error, DataInvalid):
        return "wrong_bytes", _WRONG_BYTES
    if isinstance(error, AnswerUnusable):
        return "too_large", _TOO_LARGE
    return error.code, error.detail
