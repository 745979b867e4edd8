"""Tables of tracks: what only we know of one, and what its record says."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class TrackSource(Base):
    """What only we know of a track: its number, its files, who may see it. Kept when the index is made anew.

    shape:  made before the record exists (an upload) or when a foreign record is first seen; without a file the
            track cannot be played and is not shown; `blob_cid` is the author's blob that the file is a copy of
    """

    __tablename__ = "track_sources"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    artist_did: Mapped[str] = mapped_column(ForeignKey("artists.did"))
    file_id: Mapped[str | None] = mapped_column(unique=True)
    file_type: Mapped[str | None]
    duration_ms: Mapped[int | None]
    size_bytes: Mapped[int | None]
    audio_sha256: Mapped[str | None]
    blob_cid: Mapped[str | None]
    image_id: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(server_default="public")
    hidden_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    upload_id: Mapped[UUID | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("visibility in ('public', 'unlisted')", "visibility"),
        CheckConstraint("duration_ms > 0", "duration"),
        CheckConstraint(
            "num_nulls(file_id, file_type, duration_ms, size_bytes, audio_sha256) in (0, 5)", "file_whole_or_none"
        ),
        Index("ix_track_sources_artist_did_audio_sha256", "artist_did", "audio_sha256"),
    )


class Track(Base):
    """A published track: its record, with what every list needs of its source beside it."""

    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uri: Mapped[str] = mapped_column(unique=True)
    cid: Mapped[str]
    artist_did: Mapped[str]
    title: Mapped[str]
    album_title: Mapped[str | None]
    description: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    file_id: Mapped[str] = mapped_column(unique=True)
    file_type: Mapped[str]
    duration_ms: Mapped[int]
    image_id: Mapped[str | None]
    visibility: Mapped[str]
    hidden_at: Mapped[datetime | None]
    upload_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("cardinality(tags) <= 10", "tags"),
        Index(
            "ix_tracks_feed",
            text("created_at desc"),
            text("id desc"),
            postgresql_where=text("hidden_at is null and visibility = 'public'"),
        ),
        Index("ix_tracks_artist_did", "artist_did", text("created_at desc"), text("id desc")),
    )
