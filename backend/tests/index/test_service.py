"""the one door: whatever order events come in, the state is that of the highest revision."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from plyr.artists import service as artists
from plyr.config import Settings
from plyr.db import Database, Session
from plyr.index import service
from plyr.index.events import RecordEvent
from plyr.kit.ids import Cid, Did, FileId, Handle, Nsid, RecordKey, Rev, TrackId
from plyr.tracks.models import Track

NAMESPACE = "fm.plyr.dev"
ALICE = Did("did:plc:alice")
TRACK = Nsid("fm.plyr.dev.track")
KEY = RecordKey("3kaaaaaaaaaaa")


async def _track(session: Session) -> TrackId:
    await artists.remember_identity(session, ALICE, Handle("alice.test"), "http://localhost:2583")
    values = {
        "uri": f"at://{ALICE}/{TRACK}/{KEY}", "artist_did": ALICE, "title": "draft", "file_id": FileId("f" * 32),
        "file_type": "flac", "duration_ms": 1000, "size_bytes": 1, "audio_sha256": "0" * 64,
    }  # fmt: skip
    return TrackId((await session.execute(insert(Track).values(**values).returning(Track.id))).scalar_one())


def _put(rev: str, title: str) -> RecordEvent:
    return RecordEvent(ALICE, Rev(rev), TRACK, KEY, "put", Cid(f"cid-{rev}"), {"title": title})


def _delete(rev: str) -> RecordEvent:
    return RecordEvent(ALICE, Rev(rev), TRACK, KEY, "delete")


async def _shown(session: Session) -> tuple[str, str | None, bool] | None:
    row = (await session.execute(select(Track.title, Track.cid, Track.published_at))).first()
    return (row.title, row.cid, row.published_at is not None) if row else None


async def test_apply_first_put_publishes_the_draft(db_session: Session) -> None:
    await _track(db_session)
    assert await service.apply(db_session, _put("3ka", "one"), NAMESPACE)
    assert await _shown(db_session) == ("one", "cid-3ka", True)


async def test_apply_other_namespace_or_collection_changes_nothing(db_session: Session) -> None:
    await _track(db_session)
    for collection in ("fm.plyr.track", "fm.plyr.dev.unknown", "fm.plyr.development.track"):
        event = RecordEvent(ALICE, Rev("3ka"), Nsid(collection), KEY, "put", Cid("c"), {"title": "x"})
        assert not await service.apply(db_session, event, NAMESPACE)
    assert await _shown(db_session) == ("draft", None, False)


@pytest.mark.parametrize("again", [1, 3])
async def test_apply_same_event_again_is_old_news(db_session: Session, again: int) -> None:
    await _track(db_session)
    assert await service.apply(db_session, _put("3ka", "one"), NAMESPACE)
    for _ in range(again):
        assert not await service.apply(db_session, _put("3ka", "one"), NAMESPACE)


async def test_apply_create_replayed_after_a_delete_brings_nothing_back(db_session: Session) -> None:
    await _track(db_session)
    await service.apply(db_session, _put("3ka", "one"), NAMESPACE)
    await service.apply(db_session, _delete("3kb"), NAMESPACE)
    assert not await service.apply(db_session, _put("3ka", "one"), NAMESPACE)
    assert await _shown(db_session) is None


HISTORY = [_put("3ka", "one"), _put("3kb", "two"), _put("3kc", "three")]


@given(order=st.lists(st.sampled_from(HISTORY), min_size=1, max_size=12).map(lambda some: some + HISTORY[:1]))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_apply_any_order_and_duplicates_the_highest_revision_shows(
    db_session: Session, order: list[RecordEvent]
) -> None:
    savepoint = await db_session.begin_nested()
    await db_session.execute(delete(Track))
    await _track(db_session)
    for event in order:
        await service.apply(db_session, event, NAMESPACE)
    newest = max(order, key=lambda event: event.rev)
    assert newest.record is not None
    assert await _shown(db_session) == (newest.record["title"], newest.cid, True)
    await savepoint.rollback()


async def test_settle_profile_only_follows_those_with_a_profile_and_https(db: Database, settings: Settings) -> None:
    profile = Nsid(f"{settings.atproto_namespace}.actor.profile")
    record = {"bio": "hello", "avatar": "http://tracker.example/a.png", "createdAt": datetime.now(UTC).isoformat()}
    event = RecordEvent(ALICE, Rev("3ka"), profile, RecordKey("self"), "put", Cid("c"), record)
    async with db.begin() as session:
        await artists.remember_identity(session, ALICE, Handle("alice.test"), "http://localhost:2583")
        await artists.set_up_profile(session, ALICE, artists.ProfileForm("alice"), settings.atproto_namespace)
        await service.apply(session, event, settings.atproto_namespace)
        artist = await artists.require(session, ALICE)
    assert (artist.bio, artist.avatar_url) == ("hello", None)
