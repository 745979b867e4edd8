"""the life of a track, on a real database."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select

from plyr.artists import service as artists
from plyr.artists.errors import ArtistProfileRequired
from plyr.config import Settings
from plyr.db import Base, Database, Session
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import Cid, Did, FileId, Handle, Rev, TrackId
from plyr.kit.record_events import Changes, RecordEvent
from plyr.outbox import service as outbox
from plyr.outbox.models import RepoWrite
from plyr.storage import service as storage
from plyr.storage.keys import audio_key
from plyr.storage.models import MediaObject
from plyr.storage.service import Owner
from plyr.tracks import service
from plyr.tracks.errors import DuplicateTrack, TrackNotFound
from plyr.tracks.models import Track, TrackSource
from plyr.tracks.views import PublishedDraft, TrackDraft
from tests.fixtures.catalogue import add_artist


async def _draft(session: Session, artist: Did, sha256: str = "a" * 64) -> TrackDraft:
    job_id = await jobs.create(session, JobKind.UPLOAD, artist, {}, phase="publishing", released=False)
    return TrackDraft(
        artist_did=artist, job_id=job_id, title="night bus", file_id=FileId(uuid4().hex), file_type="flac",
        duration_ms=20_400, size_bytes=1000, audio_sha256=sha256, album="lines", tags=["ambient"],
    )  # fmt: skip


def _written(made: PublishedDraft) -> Changes:
    record = {"title": "night bus", "createdAt": "2026-01-01T00:00:00.000Z"}
    did, collection, rkey = split_at_uri(made.uri)
    return Changes(puts=[RecordEvent(did, Rev("3ka"), collection, rkey, "put", Cid("c"), record)])


async def _count(session: Session, table: type[Base]) -> int:
    return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def test_publish_row_is_invisible_and_record_waits_in_the_outbox(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        made = await service.publish(session, await _draft(session, artist), settings)
        write = await outbox.claim_head(session, artist, 5)
        assert await _count(session, Track) == 0
    assert write is not None
    assert write.record is not None
    assert made.uri == f"at://{artist}/fm.plyr.dev.track/{write.rkey}"
    assert write.record == {
        "$type": "fm.plyr.dev.track", "title": "night bus", "artist": "Alice", "fileType": "flac", "duration": 20,
        "album": "lines", "tags": ["ambient"], "createdAt": write.record["createdAt"],
        "audioUrl": write.record["audioUrl"],
    }  # fmt: skip


async def test_publish_same_upload_twice_is_one_track_and_one_write(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        draft = await _draft(session, artist)
        made = await service.publish(session, draft, settings)
    async with db.begin() as session:
        assert await service.publish(session, draft, settings) == made
        assert await _count(session, RepoWrite) == 1
        assert await service.published_from(session, draft.job_id) == made.track_id


async def test_publish_same_bytes_in_parallel_only_one_becomes_a_track(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")

    async def attempt() -> TrackId:
        async with db.begin() as session:
            return (await service.publish(session, await _draft(session, artist), settings)).track_id

    results = await asyncio.gather(*(attempt() for _ in range(4)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, DuplicateTrack)]
    [made] = [result for result in results if isinstance(result, int)]
    assert [error.track_id for error in refused] == [made] * 3


async def test_publish_same_bytes_by_another_artist_is_a_track_of_its_own(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        for name in ("alice", "bob"):
            await service.publish(session, await _draft(session, await add_artist(session, name)), settings)
        assert await _count(session, TrackSource) == 2


async def test_publish_without_a_profile_is_refused(db: Database, settings: Settings) -> None:
    carol = Did("did:plc:carol")
    async with db.begin() as session:
        await artists.remember_identity(session, carol, Handle("carol.test"), "http://localhost:2583")
        with pytest.raises(ArtistProfileRequired):
            await service.publish(session, await _draft(session, carol), settings)


async def test_withdraw_refused_track_goes_and_a_published_one_stays(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        refused = await service.publish(session, await _draft(session, artist), settings)
        live = await service.publish(session, await _draft(session, artist, "b" * 64), settings)
        await service.fold(session, _written(live))
        assert await service.withdraw(session, refused.uri) == refused.track_id
        assert await service.withdraw(session, live.uri) is None


async def test_delete_by_its_artist_hides_at_once_and_files_go_when_the_record_is_gone(
    db: Database, settings: Settings
) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        await add_artist(session, "bob")
        made = await service.publish(session, await _draft(session, artist), settings)
        with pytest.raises(TrackNotFound):
            await service.delete(session, artist, made.track_id)
        await service.fold(session, _written(made))
        owner = Owner("track", str(made.track_id))
        await storage.claim(session, "audio/abc", owner, content_type="audio/flac")
        with pytest.raises(TrackNotFound):
            await service.delete(session, Did("did:plc:bob"), made.track_id)
        await service.delete(session, artist, made.track_id)
        assert len(await storage.list_owned(session, owner)) == 1
        await service.fold(session, Changes(deleted=[made.uri]))
        assert await storage.list_owned(session, owner) == []


async def test_fold_record_made_again_under_its_key_shows_with_its_files_or_not_at_all(
    db: Database, settings: Settings
) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        made = await service.publish(session, await _draft(session, artist), settings)
        source = await service.find_source(session, made.uri)
        assert source is not None
        assert source.file_id is not None
        key, owner = audio_key(FileId(source.file_id)), Owner("track", str(made.track_id))
        await storage.claim(session, key, owner, content_type="audio/flac")
        await storage.confirm(session, key, size_bytes=1000)
        for _ in range(2):
            await service.fold(session, _written(made))
            assert await _count(session, Track) == 1
            assert len(await storage.list_owned(session, owner)) == 1
            await service.fold(session, Changes(deleted=[made.uri]))
            assert await _count(session, Track) == 0
            assert await storage.list_owned(session, owner) == []
        await session.execute(delete(MediaObject))
        await service.fold(session, _written(made))
        assert await _count(session, Track) == 0
