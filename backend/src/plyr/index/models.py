"""Tables of the index itself: the ledger, and how many records speak of each subject."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class LedgerRecord(Base):
    """A record in somebody's repo as of `rev`; a deleted one stays, so that old news cannot bring it back.

    shape:  `rejected` says why a record that is there shows nowhere
    """

    __tablename__ = "records"

    uri: Mapped[str] = mapped_column(primary_key=True)
    did: Mapped[str]
    collection: Mapped[str]
    rkey: Mapped[str]
    rev: Mapped[str]
    cid: Mapped[str | None]
    rejected: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    applied_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("(cid is null) = (deleted_at is not null)", "live_has_cid"),
        Index("ix_records_did_collection", "did", "collection"),
        Index("ix_records_applied_at", "applied_at"),
    )
