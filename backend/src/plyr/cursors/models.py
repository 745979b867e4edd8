"""The table of cursors."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class IngestCursor(Base):
    """How far a source was applied. Whoever takes it over raises `epoch`, which shuts out whoever had it before.

    shape:  `cursor` is null until the first event was applied
    """

    __tablename__ = "ingest_cursors"

    source: Mapped[str] = mapped_column(primary_key=True)
    cursor: Mapped[int | None]
    epoch: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
