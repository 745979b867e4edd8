"""What every object store here can do."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """An object as the store knows it."""

    key: str
    size_bytes: int
    modified_at: datetime


class BlobStore(Protocol):
    """Durable bytes under keys. Both forms behave alike, which one test suite proves.

    errors: StorageUnavailable when the store fails or is silent for too long; KeyRefused for keys not ours
    """

    async def write_stream(self, key: str, pieces: AsyncIterable[Piece], *, content_type: str) -> int:
        """Write an object whole and durable, or leave nothing; return its size in bytes.

        shape:  nothing is visible under the key before all of it is; what `pieces` raises is passed on
        cost:   memory is flat in the size, also when the store is slower than the source
        """
        ...

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`.

        errors: BlobMissing
        """
        ...

    async def head(self, key: str) -> BlobInfo | None:
        """Return what is known of an object, None if there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        ...

    async def concat(self, keys: Sequence[str], dest: str, *, content_type: str) -> int:
        """Make one object of several, in order; return its size in bytes.

        shape:  a single source may be gone afterwards, several stay; repeating it after a crash is safe
        errors: BlobMissing
        """
        ...

    def list_blobs(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Yield every whole object whose key begins with a folder's name."""
        ...

    async def check_ready(self) -> None:
        """Ask the store for a sign of life within a few seconds."""
        ...

    async def close(self) -> None:
        """Give back threads and connections."""
        ...
