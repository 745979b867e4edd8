"""The table of repos."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class Repo(Base):
    """A repo that holds, held, or may hold records of ours. Kept when the index is made anew.

    shape:  `applied_rev` is the newest commit heard of, `compared_rev` the one at which the whole repo was compared
            with the ledger; `status` is what its own server says, `said_by` that server
    """

    __tablename__ = "repos"

    did: Mapped[str] = mapped_column(primary_key=True)
    pds_url: Mapped[str | None]
    applied_rev: Mapped[str | None]
    compared_rev: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    said_by: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    compared_at: Mapped[datetime | None]
    backfilled_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("did like 'did:%'", "did"),
        CheckConstraint("status in ('active', 'deactivated', 'takendown', 'suspended', 'deleted')", "status"),
        Index("ix_repos_next_check_at", "next_check_at"),
    )
