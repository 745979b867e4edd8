"""the one door: whatever order events come in, the state is that of the highest revision."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from plyr.artists import service as artists
from plyr.atproto.lexicon.files import load_lexicons
from plyr.config import Settings
from plyr.db import Database, Session
from plyr.index import service
from plyr.index.service import Rules
from plyr.kit.ids import Cid, Did, FileId, Handle, Nsid, RecordKey, Rev
from plyr.kit.record_events import RecordEvent
from plyr.likes.models import LikeCount
from plyr.outbox import service as outbox
from plyr.tracks.models import Track, TrackSource

NAMESPACE = "fm.plyr.dev"
ALICE = Did("did:plc:alice")
TRACK = Nsid("fm.plyr.dev.track")
KEY = RecordKey("3kaaaaaaaaaaa")


@pytest.fixture
def rules(settings: Settings) -> Rules:
    return Rules(NAMESPACE, load_lexicons(settings.lexicon_dir, NAMESPACE))


async def _source(session: Session) -> None:
    """what we know of a track before its record is heard of."""
    await artists.remember_identity(session, ALICE, Handle("alice.test"), "http://localhost:2583")
    values = {
        "uri": f"at://{ALICE}/{TRACK}/{KEY}", "artist_did": ALICE, "file_id": FileId("f" * 32), "file_type": "flac",
        "duration_ms": 1000, "size_bytes": 1, "audio_sha256": "0" * 64,
    }  # fmt: skip
    await session.execute(insert(TrackSource).values(**values))


def _put(rev: str, title: str) -> RecordEvent:
    record = {
        "$type": TRACK, "title": title, "artist": "alice", "fileType": "flac", "audioUrl": "https://plyr.example/a",
        "createdAt": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    return RecordEvent(ALICE, Rev(rev), TRACK, KEY, "put", Cid(f"cid-{rev}"), record)


def _delete(rev: str) -> RecordEvent:
    return RecordEvent(ALICE, Rev(rev), TRACK, KEY, "delete")


async def _shown(session: Session) -> tuple[str, str] | None:
    row = (await session.execute(select(Track.title, Track.cid))).first()
    return (row.title, row.cid) if row else None


async def test_apply_first_put_publishes_the_draft(db_session: Session, rules: Rules) -> None:
    await _source(db_session)
    assert await service.apply(db_session, _put("3ka", "one"), rules)
    assert await _shown(db_session) == ("one", "cid-3ka")


async def test_apply_other_namespace_or_collection_changes_nothing(db_session: Session, rules: Rules) -> None:
    await _source(db_session)
    for collection in ("fm.plyr.track", "fm.plyr.dev.unknown", "fm.plyr.development.track"):
        event = RecordEvent(ALICE, Rev("3ka"), Nsid(collection), KEY, "put", Cid("c"), {"title": "x"})
        assert not await service.apply(db_session, event, rules)
    assert await _shown(db_session) is None


@pytest.mark.parametrize("again", [1, 3])
async def test_apply_same_event_again_is_old_news(db_session: Session, again: int, rules: Rules) -> None:
    await _source(db_session)
    assert await service.apply(db_session, _put("3ka", "one"), rules)
    for _ in range(again):
        assert not await service.apply(db_session, _put("3ka", "one"), rules)


async def test_apply_create_replayed_after_a_delete_brings_nothing_back(db_session: Session, rules: Rules) -> None:
    await _source(db_session)
    await service.apply(db_session, _put("3ka", "one"), rules)
    await service.apply(db_session, _delete("3kb"), rules)
    assert not await service.apply(db_session, _put("3ka", "one"), rules)
    assert await _shown(db_session) is None


HISTORY = [_put("3ka", "one"), _put("3kb", "two"), _put("3kc", "three")]


@given(order=st.lists(st.sampled_from(HISTORY), min_size=1, max_size=12).map(lambda some: some + HISTORY[:1]))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_apply_any_order_and_duplicates_the_highest_revision_shows(
    db_session: Session, rules: Rules, order: list[RecordEvent]
) -> None:
    savepoint = await db_session.begin_nested()
    for table in (Track, TrackSource):
        await db_session.execute(delete(table))
    await _source(db_session)
    for event in order:
        await service.apply(db_session, event, rules)
    newest = max(order, key=lambda event: event.rev)
    assert newest.record is not None
    assert await _shown(db_session) == (newest.record["title"], newest.cid)
    await savepoint.rollback()


async def test_apply_profile_is_followed_and_a_plain_http_avatar_is_not_taken(
    db: Database, settings: Settings, rules: Rules
) -> None:
    profile = Nsid(f"{NAMESPACE}.actor.profile")
    record = {
        "$type": profile, "bio": "hello", "avatar": "http://tracker.example/a.png",
        "createdAt": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    event = RecordEvent(ALICE, Rev("3ka"), profile, RecordKey("self"), "put", Cid("c"), record)
    async with db.begin() as session:
        await artists.remember_identity(session, ALICE, Handle("alice.test"), "http://localhost:2583")
        await artists.set_up_profile(session, ALICE, artists.ProfileForm("alice"), settings.atproto_namespace)
        write = await outbox.claim_head(session, ALICE, 5)
        assert write is not None
        await outbox.settle(session, write.id)
        await service.apply(session, event, rules)
        artist = await artists.require(session, ALICE)
    assert (artist.bio, artist.avatar_url) == ("hello", None)


async def test_apply_invalid_update_hides_the_record_and_keeps_its_files(db_session: Session, rules: Rules) -> None:
    await _source(db_session)
    await service.apply(db_session, _put("3ka", "one"), rules)
    applied = await service.apply_batch(db_session, [_put("3kb", "x" * 300)], rules)
    assert applied.rejected == {"invalid: title": 1}
    assert await _shown(db_session) is None
    assert await service.apply(db_session, _put("3kc", "three"), rules)
    assert await _shown(db_session) == ("three", "cid-3kc")


async def test_apply_likes_on_a_track_nobody_knows_count_once_a_person_and_wait(
    db_session: Session, rules: Rules
) -> None:
    subject = {
        "uri": f"at://{ALICE}/{TRACK}/{KEY}",
        "cid": "bafyreib2rxk3rw6gxpbn6gjqwnhhzfqqdjowqjuhqkzgcbqfpmxgcmsn3m",
    }
    record = {"$type": f"{NAMESPACE}.like", "subject": subject, "createdAt": "2026-01-01T00:00:00.000Z"}
    keys = [("did:plc:bob", "3kaaaaaaaaaab"), ("did:plc:bob", "3kaaaaaaaaaac"), ("did:plc:carol", "3kaaaaaaaaaab")]
    likes = [
        RecordEvent(Did(did), Rev("3ka"), Nsid(f"{NAMESPACE}.like"), RecordKey(key), "put", Cid("c"), record)
        for did, key in keys
    ]
    await service.apply_batch(db_session, likes, rules)
    people = select(LikeCount.people).where(LikeCount.subject_uri == subject["uri"])
    assert await db_session.scalar(people) == 2
    gone = [replace(like, rev=Rev("3kb"), action="delete", cid=None, record=None) for like in likes[1:]]
    await service.apply_batch(db_session, gone, rules)
    assert await db_session.scalar(people) == 1
