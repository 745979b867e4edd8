"""Tables of comments."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, desc
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Comment(Base):
    """A comment record; it names its subject by address, so it belongs to every version of that record."""

    __tablename__ = "comments"

    uri: Mapped[str] = mapped_column(primary_key=True)
    cid: Mapped[str]
    did: Mapped[str]
    subject_uri: Mapped[str]
    text: Mapped[str]
    timestamp_ms: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("timestamp_ms >= 0", "timestamp_ms"),
        Index("ix_comments_subject_uri", "subject_uri", "timestamp_ms"),
        Index("ix_comments_did", "did", desc("created_at")),
    )


class CommentCount(Base):
    """How many comments a subject has."""

    __tablename__ = "comment_counts"

    subject_uri: Mapped[str] = mapped_column(primary_key=True)
    comments: Mapped[int]

    __table_args__ = (CheckConstraint("comments > 0", "comments"),)
