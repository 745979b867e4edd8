"""Tables of likes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Like(Base):
    """A like record; it names its subject by address, so it counts for every version of that record."""

    __tablename__ = "likes"

    uri: Mapped[str] = mapped_column(primary_key=True)
    did: Mapped[str]
    subject_uri: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_likes_subject_uri", "subject_uri", text("created_at desc")),
        Index("ix_likes_did", "did", text("created_at desc")),
        Index("ix_likes_did_subject_uri", "did", "subject_uri"),
    )


class LikeCount(Base):
    """How many people like a subject: one a person, however many like records they wrote."""

    __tablename__ = "like_counts"

    subject_uri: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]

    __table_args__ = (CheckConstraint("people > 0", "people"),)
