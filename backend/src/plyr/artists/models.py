"""Tables of artists: what only we know of an account, and what its profile record says."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Artist(Base):
    """An account as only we know it; an artist once `profile_at` is set.

    shape:  `hidden_because` is the account's state at its own server while it is not active, e.g. `deactivated`
    """

    __tablename__ = "artists"

    did: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str | None]
    pds_url: Mapped[str | None]
    display_name: Mapped[str | None]
    support_url: Mapped[str | None]
    show_liked_on_profile: Mapped[bool] = mapped_column(server_default="false")
    profile_at: Mapped[datetime | None]
    hidden_because: Mapped[str | None]
    hidden_said_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("did like 'did:%'", "did"),
        CheckConstraint("profile_at is null or display_name is not null", "profile_has_name"),
        Index("uq_artists_handle", "handle", unique=True, postgresql_where=text("handle is not null")),
    )


class Profile(Base):
    """What somebody's profile record says; `cid` is null while it is only on its way to their repo."""

    __tablename__ = "profiles"

    did: Mapped[str] = mapped_column(primary_key=True)
    cid: Mapped[str | None]
    bio: Mapped[str | None]
    avatar_url: Mapped[str | None]
