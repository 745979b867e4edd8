"""the feed: paging to the end shows exactly the visible set, in order, whatever the page size."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, event
from sqlalchemy.ext.asyncio import AsyncEngine

from plyr.artists.errors import ArtistNotFound
from plyr.artists.models import Artist
from plyr.config import Settings
from plyr.db import Database
from plyr.errors import CursorInvalid
from plyr.kit.ids import AtUri, Did, TrackId
from plyr.tracks import service as tracks
from plyr.tracks.errors import TrackNotFound
from plyr.tracks.models import Track, TrackSource
from plyr.views import tracks as views
from tests.fixtures.catalogue import add_artist, add_tracks

START = datetime(2026, 1, 1, tzinfo=UTC)


async def _all_pages(db: Database, settings: Settings, size: int, artist: Did | None = None) -> list[int]:
    ids: list[int] = []
    cursor = None
    while True:
        page = await views.feed(db, settings, limit=size, cursor=cursor, artist=artist)
        assert len(page["tracks"]) <= size
        assert page["has_more"] == (page["next_cursor"] is not None)
        ids += [track["id"] for track in page["tracks"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


@given(seconds=st.lists(st.integers(0, 3), max_size=12), size=st.integers(1, 5))
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_feed_equal_instants_any_page_size_each_track_once_newest_first(
    db: Database, settings: Settings, seconds: list[int], size: int
) -> None:
    async with db.begin() as session:
        for table in (Track, TrackSource, Artist):
            await session.execute(delete(table))
        artist = await add_artist(session, "alice")
        instants = [START + timedelta(seconds=second) for second in seconds]
        ids = await add_tracks(session, artist, instants)
        await add_tracks(session, artist, instants[:2], published=False)
        await add_tracks(session, artist, instants[:1], visibility="unlisted")
    expected = [track for _, track in sorted(zip(seconds, ids, strict=True), reverse=True)]
    assert await _all_pages(db, settings, size) == expected
    assert await _all_pages(db, settings, size, artist) == expected


async def test_feed_tracks_coming_and_going_while_paging_disturb_nothing(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        ids = await add_tracks(session, artist, [START + timedelta(seconds=n) for n in range(6)])
    first = await views.feed(db, settings, limit=2, cursor=None, artist=None)
    async with db.begin() as session:
        await add_tracks(session, artist, [START + timedelta(days=1)])
        await tracks.delete(session, artist, ids[1])
    rest = await views.feed(db, settings, limit=50, cursor=first["next_cursor"], artist=None)
    shown = [track["id"] for page in (first, rest) for track in page["tracks"]]
    assert shown == [ids[5], ids[4], ids[3], ids[2], ids[0]]


async def test_feed_full_page_costs_one_query(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        await add_tracks(session, await add_artist(session, "alice"), [START] * 30)
    statements = []
    engine: AsyncEngine = db.engine
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    await views.feed(db, settings, limit=30, cursor=None, artist=None)
    assert len(statements) == 1


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "A" * 22 + "=", "A" * 500])
async def test_feed_cursor_of_a_stranger_is_refused(db: Database, settings: Settings, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await views.feed(db, settings, limit=5, cursor=cursor, artist=None)


async def test_feed_unknown_artist_is_not_found(db: Database, settings: Settings) -> None:
    with pytest.raises(ArtistNotFound):
        await views.feed(db, settings, limit=5, cursor=None, artist=Did("did:plc:nobody"))


async def test_by_id_every_field_is_filled_and_hidden_ones_do_not_exist(db: Database, settings: Settings) -> None:
    async with db.begin() as session:
        artist = await add_artist(session, "alice")
        [shown] = await add_tracks(session, artist, [START])
        [draft] = await add_tracks(session, artist, [START], published=False)
    track = await views.by_id(db, settings, shown)
    assert (track["artist"], track["artist_handle"], track["duration"]) == ("Alice", "alice.test", 20)
    assert track["r2_url"] == f"http://127.0.0.1:5173/api/audio/{track['file_id']}"
    assert await views.by_uri(db, settings, AtUri(track["atproto_record_uri"])) == track
    for hidden in (draft, TrackId(0), TrackId(2**62)):
        with pytest.raises(TrackNotFound):
            await views.by_id(db, settings, hidden)
