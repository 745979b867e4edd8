"""Tables of lists."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base


class ListRecord(Base):
    """A list record; `items` are strong references in the owner's order, to records we may not know."""

    __tablename__ = "lists"

    uri: Mapped[str] = mapped_column(primary_key=True)
    cid: Mapped[str]
    did: Mapped[str]
    list_type: Mapped[str | None]
    name: Mapped[str | None]
    description: Mapped[str | None]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("jsonb_array_length(items) <= 500", "items"),
        Index("ix_lists_did", "did", "list_type", text("created_at desc")),
    )
