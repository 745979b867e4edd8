"""Tables of background work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base

STATUSES = ("pending", "processing", "waiting", "completed", "failed")


class Job(Base):
    """A background job: what is to be done, and the truth about how far it is."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    owner_did: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(server_default="pending")
    phase: Mapped[str]
    progress_pct: Mapped[float] = mapped_column(server_default="0")
    message: Mapped[str] = mapped_column(server_default="")
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    revision: Mapped[int] = mapped_column(server_default="1")
    released: Mapped[bool]
    attempts: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", "status"),
        CheckConstraint("progress_pct between 0 and 100", "progress_pct"),
        CheckConstraint("(status = 'failed') = (error_code is not null)", "failed_has_reason"),
        Index(
            "ix_jobs_open",
            "run_after",
            postgresql_where=text("released and status in ('pending', 'processing')"),
        ),
        Index("ix_jobs_owner_did_created_at", "owner_did", "created_at"),
    )


class RepoWrite(Base):
    """A write to somebody's repo that is still to reach their PDS.

    shape:  `id` gives the order within one repo; a delivered row is gone, its trace is the ledger
    """

    __tablename__ = "repo_writes"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    did: Mapped[str]
    collection: Mapped[str]
    rkey: Mapped[str]
    action: Mapped[str]
    record: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="set null"))
    attempts: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    parked_reason: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("action in ('put', 'delete')", "action"),
        CheckConstraint("(action = 'put') = (record is not null)", "put_has_record"),
        Index("ix_repo_writes_did_id", "did", "id"),
        Index("ix_repo_writes_due", "run_after", postgresql_where=text("parked_reason is null")),
    )
