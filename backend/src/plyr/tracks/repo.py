"""Every statement on the tables of tracks."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from plyr.artists.models import Artist, Profile
from plyr.db import Session
from plyr.kit.ids import AtUri, Cid, Did, FileId, TrackId
from plyr.kit.paging import Cursor, Page
from plyr.tracks.models import Track, TrackSource
from plyr.tracks.views import PublishedDraft, SourceView, TrackView

_VISIBLE = Track.hidden_at.is_(None)
_COLUMNS = (
    Track.id, Track.uri, Track.cid, Track.title, Track.album_title, Track.description, Track.tags, Track.file_id,
    Track.file_type, Track.duration_ms, Track.image_id, Track.visibility, Track.upload_id, Track.created_at,
    Track.artist_did, Artist.handle.label("artist_handle"), Artist.display_name.label("artist_name"),
    Profile.avatar_url.label("artist_avatar_url"),
)  # fmt: skip
_FROM_SOURCE = (
    TrackSource.id, TrackSource.file_id, TrackSource.file_type, TrackSource.duration_ms, TrackSource.image_id,
    TrackSource.visibility, TrackSource.hidden_at, TrackSource.upload_id,
)  # fmt: skip


async def lock_audio(session: Session, artist: Did, sha256: str) -> None:
    """Let only one transaction at a time decide on an artist's file."""
    key = f"{artist} {sha256}"
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 11))"), {"key": key})


async def find_by_audio(session: Session, artist: Did, sha256: str) -> TrackId | None:
    """Return an artist's track made of these bytes, one being published included."""
    query = select(TrackSource.id).where(
        TrackSource.artist_did == artist,
        TrackSource.audio_sha256 == sha256,
        TrackSource.hidden_at.is_(None),
        TrackSource.retired_at.is_(None),
    )
    found = await session.scalar(query.limit(1))
    return TrackId(found) if found is not None else None


async def find_by_upload(session: Session, upload_id: UUID) -> PublishedDraft | None:
    """Return the track an upload became."""
    query = select(TrackSource.id, TrackSource.uri).where(
        TrackSource.upload_id == upload_id, TrackSource.retired_at.is_(None)
    )
    row = (await session.execute(query)).first()
    return PublishedDraft(TrackId(row.id), AtUri(row.uri)) if row else None


async def add_source(session: Session, values: Mapping[str, object]) -> TrackId:
    """Insert the source of a track whose record is still to be written."""
    made = await session.execute(insert(TrackSource).values(**values).returning(TrackSource.id))
    return TrackId(made.scalar_one())


async def find_source(session: Session, uri: AtUri) -> SourceView | None:
    """Return what we hold of a track."""
    query = select(TrackSource.id, TrackSource.file_id, TrackSource.blob_cid, TrackSource.upload_id)
    row = (await session.execute(query.where(TrackSource.uri == uri))).mappings().first()
    return SourceView(**row) if row else None


async def change_source(session: Session, uri: AtUri, values: Mapping[str, object]) -> None:
    """Change what we hold of a track."""
    await session.execute(update(TrackSource).where(TrackSource.uri == uri).values(**values))


async def ensure_sources(session: Session, artists: Mapping[AtUri, Did]) -> None:
    """Give a number to every record that has none."""
    rows = [{"uri": uri, "artist_did": did} for uri, did in sorted(artists.items())]
    await session.execute(insert(TrackSource).values(rows).on_conflict_do_nothing(index_elements=[TrackSource.uri]))


async def upsert(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[AtUri, Cid | None]:
    """Write what records say, beside what their sources hold.

    shape:  returns those whose audio did not come from an upload here, with the author's blob we hold, None for none
    """
    held = await session.execute(
        select(*_FROM_SOURCE, TrackSource.blob_cid, TrackSource.uri).where(
            TrackSource.uri.in_([row["uri"] for row in rows])
        )
    )
    sources = {source["uri"]: dict(source) for source in held.mappings()}
    blobs = {uri: source.pop("blob_cid") for uri, source in sources.items()}
    playable = [{**row, **sources[row["uri"]]} for row in rows if sources[row["uri"]]["file_id"] is not None]
    if playable:
        new = insert(Track).values(playable)
        changing = {name: new.excluded[name] for name in playable[0] if name not in ("id", "uri")}
        await session.execute(new.on_conflict_do_update(index_elements=[Track.uri], set_=changing))
    return {AtUri(uri): Cid(blob) if blob else None for uri, blob in blobs.items() if sources[uri]["upload_id"] is None}


async def hide(session: Session, artist: Did, track_id: TrackId) -> AtUri | None:
    """Mark an artist's own visible track as on its way out; None if it is not theirs or not there."""
    shown = select(Track.id).where(Track.id == track_id, Track.artist_did == artist, _VISIBLE)
    done = await session.execute(
        update(TrackSource).where(TrackSource.id.in_(shown)).values(hidden_at=func.now()).returning(TrackSource.uri)
    )
    uri = done.scalar_one_or_none()
    if uri is None:
        return None
    await session.execute(update(Track).where(Track.uri == uri).values(hidden_at=func.now()))
    return AtUri(uri)


async def show_again(session: Session, uri: AtUri) -> None:
    """Take a hiding back."""
    for table in (TrackSource, Track):
        await session.execute(update(table).where(table.uri == uri).values(hidden_at=None))


async def remove(session: Session, uris: Sequence[AtUri]) -> None:
    """Take tracks out of the index; their sources stay."""
    await session.execute(delete(Track).where(Track.uri.in_(uris)))


async def remove_unpublished(session: Session, uri: AtUri) -> TrackId | None:
    """Forget the source of a track that never showed; None if there is none, or it showed."""
    shown = select(Track.uri).where(Track.uri == TrackSource.uri)
    query = delete(TrackSource).where(TrackSource.uri == uri, ~shown.exists())
    found = (await session.execute(query.returning(TrackSource.id))).scalar_one_or_none()
    return TrackId(found) if found is not None else None


async def retire(session: Session, uris: Sequence[AtUri]) -> list[TrackId]:
    """Mark the sources of tracks whose records are gone; returns their numbers."""
    done = await session.execute(
        update(TrackSource)
        .where(TrackSource.uri.in_(uris), TrackSource.retired_at.is_(None))
        .values(retired_at=func.now())
        .returning(TrackSource.id)
    )
    return [TrackId(number) for number in done.scalars()]


async def forget_retired(session: Session, artist: Did) -> None:
    """Forget the sources of an artist's tracks whose records are gone."""
    await session.execute(
        delete(TrackSource).where(TrackSource.artist_did == artist, TrackSource.retired_at.is_not(None))
    )


async def revive(session: Session, uris: Sequence[AtUri]) -> list[tuple[TrackId, AtUri, FileId | None]]:
    """Take back the marks of tracks whose records are there again; returns number, address and file of each."""
    done = await session.execute(
        update(TrackSource)
        .where(TrackSource.uri.in_(uris), TrackSource.retired_at.is_not(None))
        .values(retired_at=None, hidden_at=None)
        .returning(TrackSource.id, TrackSource.uri, TrackSource.file_id)
    )
    return [(TrackId(row.id), AtUri(row.uri), FileId(row.file_id) if row.file_id else None) for row in done]


def _visible_tracks() -> Select[*tuple[Any, ...]]:
    shown = (
        select(*_COLUMNS).join(Artist, Artist.did == Track.artist_did).where(_VISIBLE, Artist.hidden_because.is_(None))
    )
    return shown.outerjoin(Profile, Profile.did == Track.artist_did)


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
