"""Tracks as everybody sees them; every endpoint fills every field here."""

from typing import Any

from plyr.artists import service as artists
from plyr.config import Settings
from plyr.db import Database
from plyr.errors import CursorInvalid
from plyr.kit.clock import to_iso
from plyr.kit.ids import AtUri, Did, TrackId
from plyr.kit.paging import Cursor, Page
from plyr.tracks import repo
from plyr.tracks.errors import TrackNotFound
from plyr.tracks.records import audio_url, image_url
from plyr.tracks.views import TrackView

THUMBNAIL_SIZE = 320


async def feed(
    db: Database, settings: Settings, *, limit: int, cursor: str | None, artist: Did | None
) -> dict[str, Any]:
    """Return one page of public tracks, newest first, of everybody or of one artist.

    errors: CursorInvalid (400); ArtistNotFound (404)
    cost:   1 query, 2 with an artist
    """
    before = _decode(cursor)
    async with db.begin() as session:
        if artist is not None:
            await artists.require(session, artist)
        page = await repo.page(session, limit=limit, before=before, artist=artist, visibilities=["public"])
    return _present_page(page, settings)


async def own(db: Database, settings: Settings, artist: Did, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """Return one page of an artist's own tracks, unlisted ones included. errors: CursorInvalid (400)."""
    before = _decode(cursor)
    async with db.begin() as session:
        page = await repo.page(session, limit=limit, before=before, artist=artist, visibilities=["public", "unlisted"])
    return _present_page(page, settings)


async def by_id(db: Database, settings: Settings, track_id: TrackId) -> dict[str, Any]:
    """Return one track. errors: TrackNotFound (404)."""
    async with db.begin() as session:
        track = await repo.find(session, track_id)
    if track is None:
        raise TrackNotFound()
    return present(track, settings)


async def by_uri(db: Database, settings: Settings, uri: AtUri) -> dict[str, Any]:
    """Return one track by its record's address. errors: TrackNotFound (404)."""
    async with db.begin() as session:
        track = await repo.find_by_uri(session, uri)
    if track is None:
        raise TrackNotFound()
    return present(track, settings)


def present(track: TrackView, settings: Settings) -> dict[str, Any]:
    """Return a track as JSON holds it. units: `duration` in whole seconds."""
    media_url = settings.media_url
    cover = track.image_id
    return {
        "id": track.id,
        "title": track.title,
        "artist": track.artist_name or track.artist_handle or track.artist_did,
        "artist_did": track.artist_did,
        "artist_handle": track.artist_handle or track.artist_did,
        "artist_avatar_url": track.artist_avatar_url,
        "file_id": track.file_id,
        "file_type": track.file_type,
        "original_file_id": None,
        "original_file_type": None,
        "duration": max(1, round(track.duration_ms / 1000)),
        "features": [],
        "r2_url": audio_url(media_url, track.file_id),
        "atproto_record_uri": track.uri,
        "atproto_record_cid": track.cid,
        "atproto_record_url": track.uri.replace("at://", "https://pdsls.dev/at://", 1),
        "play_count": 0,
        "like_count": 0,
        "comment_count": 0,
        "is_liked": False,
        "created_at": to_iso(track.created_at),
        "image_url": image_url(media_url, cover) if cover else None,
        "thumbnail_url": image_url(media_url, cover, THUMBNAIL_SIZE) if cover else None,
        "album": None,
        "album_title": track.album_title,
        "tags": track.tags,
        "description": track.description,
        "visibility": track.visibility,
        "copyright_flagged": False,
        "copyright_match": None,
        "labels": [],
    }


def _present_page(page: Page[TrackView], settings: Settings) -> dict[str, Any]:
    cursor = page.next_cursor.encode() if page.next_cursor else None
    tracks = [present(track, settings) for track in page.items]
    return {"tracks": tracks, "next_cursor": cursor, "has_more": cursor is not None}


def _decode(cursor: str | None) -> Cursor | None:
    try:
        return Cursor.decode(cursor) if cursor else None
    except ValueError as error:
        raise CursorInvalid("this page mark is not ours; start from the first page again") from error
