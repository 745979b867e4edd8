"""The table of repo writes on their way."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


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
    lease_until: Mapped[datetime | None]
    parked_reason: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("action in ('put', 'delete')", "action"),
        CheckConstraint("(action = 'put') = (record is not null)", "put_has_record"),
        Index("ix_repo_writes_did_id", "did", "id"),
        Index("ix_repo_writes_due", "run_after", postgresql_where=text("parked_reason is null")),
    )
