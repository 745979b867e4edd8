"""Keyset paging: where a page ended, as an opaque text that survives the trip to a browser."""

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PACKED = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: its instant and its id, in the order of the list."""

    at: datetime
    id: int

    def encode(self) -> str:
        """Return the cursor as 22 characters safe in a URL."""
        microseconds = (self.at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(_PACKED.pack(microseconds, self.id)).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Return the cursor a client handed back.

        errors: ValueError for anything `encode` did not write
        """
        try:
            microseconds, row_id = _PACKED.unpack(base64.b64decode(text + "==", b"-_", validate=True))
            cursor = cls(_EPOCH + timedelta(microseconds=microseconds), row_id)
        except (ValueError, struct.error, OverflowError) as error:
            raise ValueError("not a cursor of this list") from error
        if cursor.encode() != text:
            raise ValueError("not a cursor of this list")
        return cursor


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list and where the next ones begin, None on the last page."""

    items: list[T]
    next_cursor: Cursor | None
