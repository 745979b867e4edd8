"""Tables of uploads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Upload(Base):
    """A file on its way to a track: its bytes so far, its form, and what the file turned out to be.

    shape:  `size_bytes` is null while a multipart body is still of unknown length; `lease_*` name the one
            request that may append; `released_at` says the bytes were given up and it cannot be retried
    """

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    owner_did: Mapped[str]
    filename: Mapped[str]
    declared_type: Mapped[str | None]
    size_bytes: Mapped[int | None]
    offset_bytes: Mapped[int] = mapped_column(server_default="0")
    next_chunk: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    title: Mapped[str | None]
    album: Mapped[str | None]
    description: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    image_id: Mapped[str | None]
    file_id: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str | None]
    assembled_at: Mapped[datetime | None]
    file_type: Mapped[str | None]
    content_type: Mapped[str | None]
    codec: Mapped[str | None]
    duration_ms: Mapped[int | None]
    sample_rate: Mapped[int | None]
    channels: Mapped[int | None]
    file_title: Mapped[str | None]
    file_artist: Mapped[str | None]
    file_album: Mapped[str | None]
    track_id: Mapped[int | None]
    released_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("size_bytes > 0", "size"),
        CheckConstraint("offset_bytes >= 0 and offset_bytes <= coalesce(size_bytes, offset_bytes)", "offset"),
        CheckConstraint("(lease_token is null) = (lease_until is null)", "lease"),
        CheckConstraint("assembled_at is null or sha256 is not null", "assembled_has_hash"),
        CheckConstraint("cardinality(tags) <= 10", "tags"),
        CheckConstraint("duration_ms > 0", "duration"),
        Index("ix_uploads_owner_did_created_at", "owner_did", text("created_at desc")),
        Index("ix_uploads_unfinished", "updated_at", postgresql_where=text("track_id is null and released_at is null")),
    )


class UploadChunk(Base):
    """A durable piece of an upload. Numbers only ever grow, so that two writers never share an object."""

    __tablename__ = "upload_chunks"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id", ondelete="cascade"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    offset_bytes: Mapped[int]
    size_bytes: Mapped[int]

    __table_args__ = (
        CheckConstraint("number >= 0", "number"),
        CheckConstraint("offset_bytes >= 0", "offset"),
        CheckConstraint("size_bytes > 0", "size"),
        Index("uq_upload_chunks_offset", "upload_id", "offset_bytes", unique=True),
    )
