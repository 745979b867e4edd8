"""Stored objects as values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """An object as its owner's row describes it."""

    key: str
    owner_kind: str
    owner_id: str
    content_type: str
    size_bytes: int | None
    sha256: str | None
    created_at: datetime
    public_at: datetime | None
    delete_after: datetime | None
    delete_reason: str | None
