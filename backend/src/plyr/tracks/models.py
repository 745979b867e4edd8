"""Tables of tracks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Track(Base):
    """A track. Nobody but its upload sees it until `published_at`: its record is on the PDS then."""

    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    cid: Mapped[str | None]
    artist_did: Mapped[str] = mapped_column(ForeignKey("artists.did"))
    title: Mapped[str]
    album_title: Mapped[str | None]
    description: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    file_id: Mapped[str] = mapped_column(unique=True)
    file_type: Mapped[str]
    duration_ms: Mapped[int]
    size_bytes: Mapped[int]
    audio_sha256: Mapped[str]
    image_id: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(server_default="public")
    upload_id: Mapped[UUID | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("visibility in ('public', 'unlisted')", "visibility"),
        CheckConstraint("published_at is null or cid is not null", "published_has_cid"),
        CheckConstraint("duration_ms > 0", "duration"),
        CheckConstraint("cardinality(tags) <= 10", "tags"),
        Index(
            "ix_tracks_feed",
            text("created_at desc"),
            text("id desc"),
            postgresql_where=text("published_at is not null and deleted_at is null and visibility = 'public'"),
        ),
        Index("ix_tracks_artist_did", "artist_did", text("created_at desc"), text("id desc")),
        Index("ix_tracks_artist_did_audio_sha256", "artist_did", "audio_sha256"),
    )
