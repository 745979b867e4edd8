"""The table of background jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
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
