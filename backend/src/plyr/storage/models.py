"""The table of ownership: nothing lies in storage without a row here."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class MediaObject(Base):
    """One object in storage and the one row that owns it.

    shape:  inserted before the first byte is written; `size_bytes` is set once all of it is durable;
            `public_at` says strangers may fetch it; `delete_after` that it was given up
    """

    __tablename__ = "media_objects"

    key: Mapped[str] = mapped_column(primary_key=True)
    owner_kind: Mapped[str]
    owner_id: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    public_at: Mapped[datetime | None]
    delete_after: Mapped[datetime | None]
    delete_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(r"key ~ '^[a-z]+(/[a-z0-9-]+(\.[a-z0-9]+)?)+$'", "key"),
        CheckConstraint("owner_kind in ('upload', 'track', 'artist')", "owner_kind"),
        CheckConstraint("size_bytes >= 0", "size"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", "sha256"),
        CheckConstraint("(delete_after is null) = (delete_reason is null)", "delete_has_reason"),
        CheckConstraint("public_at is null or size_bytes is not null", "public_is_whole"),
        Index("ix_media_objects_owner", "owner_kind", "owner_id"),
        Index("ix_media_objects_due", "delete_after", postgresql_where=text("delete_after is not null")),
    )
