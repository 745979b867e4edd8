"""Tables of the outbox: writes on their way, how they failed, what they cost, and the echoes they should have."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class RepoWrite(Base):
    """A write to somebody's repo that is still to reach their PDS.

    shape:  `id` gives the order within one repo; a delivered row is gone, its trace is the ledger.
            `merge` names the fields an edit decides, null for a whole record; `expects` is the version the write is
            meant for, `absent` for none, null for any; `sent_at` is set before the PDS may have heard of it
    """

    __tablename__ = "repo_writes"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    did: Mapped[str]
    collection: Mapped[str]
    rkey: Mapped[str]
    action: Mapped[str]
    record: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    merge: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    expects: Mapped[str | None]
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="set null"))
    attempts: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    parked_reason: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("action in ('put', 'delete')", "action"),
        CheckConstraint("(action = 'put') = (record is not null)", "put_has_record"),
        CheckConstraint("merge is null or (action = 'put' and expects is null)", "merge_or_expects"),
        Index("ix_repo_writes_did_id", "did", "id"),
        Index("ix_repo_writes_due", "run_after", postgresql_where=text("parked_reason is null")),
    )


class FailedWrite(Base):
    """A write that could not be made, with the reason; `id` is the write's. Kept for some weeks."""

    __tablename__ = "failed_writes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    did: Mapped[str]
    collection: Mapped[str]
    rkey: Mapped[str]
    action: Mapped[str]
    code: Mapped[str]
    detail: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_failed_writes_did", "did", "failed_at"),
        Index("ix_failed_writes_failed_at", "failed_at"),
    )


class SpentPoints(Base):
    """The write points of a PDS that an account spent through us in one slot of time."""

    __tablename__ = "spent_points"

    did: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    points: Mapped[int]

    __table_args__ = (CheckConstraint("points > 0", "points"), Index("ix_spent_points_slot", "slot"))


class AwaitedEcho(Base):
    """A write of ours that the stream of events has not brought back yet."""

    __tablename__ = "awaited_echoes"

    uri: Mapped[str] = mapped_column(primary_key=True)
    did: Mapped[str]
    rev: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
    signalled_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_awaited_echoes_written_at", "written_at"),)
