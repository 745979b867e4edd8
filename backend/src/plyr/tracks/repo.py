"""Every statement on the tracks table."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, text, tuple_, update

from plyr.artists.models import Artist
from plyr.db import Session
from plyr.kit.ids import AtUri, Did, TrackId
from plyr.kit.paging import Cursor, Page
from plyr.tracks.models import Track
from plyr.tracks.views import PublishedDraft, TrackView

_VISIBLE = Track.published_at.is_not(None) & Track.deleted_at.is_(None)
_COLUMNS = (
    Track.id, Track.uri, Track.cid, Track.title, Track.album_title, Track.description, Track.tags, Track.file_id,
    Track.file_type, Track.duration_ms, Track.image_id, Track.visibility, Track.upload_id, Track.created_at,
    Track.artist_did, Artist.handle.label("artist_handle"), Artist.display_name.label("artist_name"),
    Artist.avatar_url.label("artist_avatar_url"),
)  # fmt: skip


async def lock_audio(session: Session, artist: Did, sha256: str) -> None:
    """Let only one transaction at a time decide on an artist's file."""
    key = f"{artist} {sha256}"
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 11))"), {"key": key})


async def find_by_audio(session: Session, artist: Did, sha256: str) -> tuple[TrackId, str] | None:
    """Return (id, title) of an artist's track made of these bytes, one being published included."""
    query = select(Track.id, Track.title).where(
        Track.artist_did == artist, Track.audio_sha256 == sha256, Track.deleted_at.is_(None)
    )
    row = (await session.execute(query.limit(1))).first()
    return (TrackId(row.id), row.title) if row else None


async def find_by_upload(session: Session, upload_id: UUID) -> PublishedDraft | None:
    """Return the track an upload became."""
    row = (await session.execute(select(Track.id, Track.uri).where(Track.upload_id == upload_id))).first()
    return PublishedDraft(TrackId(row.id), AtUri(row.uri)) if row else None


async def add(session: Session, values: Mapping[str, object]) -> TrackId:
    """Insert a track, not visible yet."""
    return TrackId((await session.execute(insert(Track).values(**values).returning(Track.id))).scalar_one())


async def settle(session: Session, uri: AtUri, values: Mapping[str, object]) -> TrackId | None:
    """Write what a record says to its track and make it visible; None if we hold no such track."""
    done = await session.execute(
        update(Track)
        .where(Track.uri == uri)
        .values(**values, published_at=func.coalesce(Track.published_at, func.now()))
        .returning(Track.id)
    )
    found = done.scalar_one_or_none()
    return TrackId(found) if found is not None else None


async def hide(session: Session, artist: Did, track_id: TrackId) -> AtUri | None:
    """Mark an artist's own visible track as deleted; None if it is not theirs or not there."""
    done = await session.execute(
        update(Track)
        .where(Track.id == track_id, Track.artist_did == artist, _VISIBLE)
        .values(deleted_at=func.now())
        .returning(Track.uri)
    )
    uri = done.scalar_one_or_none()
    return AtUri(uri) if uri else None


async def show_again(session: Session, uri: AtUri) -> None:
    """Take a deletion back."""
    await session.execute(update(Track).where(Track.uri == uri).values(deleted_at=None))


async def remove(session: Session, uri: AtUri, *, unpublished_only: bool = False) -> TrackId | None:
    """Take a track out of the index; None if it is not there."""
    query = delete(Track).where(Track.uri == uri)
    if unpublished_only:
        query = query.where(Track.published_at.is_(None))
    found = (await session.execute(query.returning(Track.id))).scalar_one_or_none()
    return TrackId(found) if found is not None else None


def _visible_tracks() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).join(Artist, Artist.did == Track.artist_did).where(_VISIBLE)


async def find(session: Session, track_id: TrackId) -> TrackView | None:
    """Return a visible track, unlisted ones included."""
    return await _first(session, Track.id == track_id)


async def find_by_uri(session: Session, uri: AtUri) -> TrackView | None:
    """Return a visible track by its record's address."""
    return await _first(session, Track.uri == uri)


async def _first(session: Session, condition: ColumnElement[bool]) -> TrackView | None:
    row = (await session.execute(_visible_tracks().where(condition))).mappings().first()
    return TrackView(**row) if row else None


async def page(
    session: Session, *, limit: int, before: Cursor | None, artist: Did | None, visibilities: Sequence[str]
) -> Page[TrackView]:
    """Return one page of visible tracks, newest first. cost: 1 query on ix_tracks_feed or ix_tracks_artist_did."""
    query = _visible_tracks().order_by(Track.created_at.desc(), Track.id.desc()).limit(limit + 1)
    query = query.where(Track.visibility == visibilities[0] if len(visibilities) == 1 else text("true"))
    if artist is not None:
        query = query.where(Track.artist_did == artist)
    if before is not None:
        query = query.where(tuple_(Track.created_at, Track.id) < tuple_(before.at, before.id))
    rows = [TrackView(**row) for row in (await session.execute(query)).mappings()]
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursor(more.created_at, more.id) if more else None)
