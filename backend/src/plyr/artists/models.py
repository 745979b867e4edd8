"""Tables of artists."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Artist(Base):
    """An account as we know it; an artist once `profile_at` is set."""

    __tablename__ = "artists"

    did: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str | None]
    pds_url: Mapped[str | None]
    display_name: Mapped[str | None]
    bio: Mapped[str | None]
    avatar_url: Mapped[str | None]
    support_url: Mapped[str | None]
    show_liked_on_profile: Mapped[bool] = mapped_column(server_default="false")
    profile_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("did like 'did:%'", "did"),
        CheckConstraint("profile_at is null or display_name is not null", "profile_has_name"),
        Index("uq_artists_handle", "handle", unique=True, postgresql_where=text("handle is not null")),
    )
