"""Objects as plain files in a folder: for development and for one machine. Content types stay in the rows."""

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

from plyr.storage.errors import BlobMissing, StorageUnavailable
from plyr.storage.keys import checked_key
from plyr.storage.protocol import BlobInfo, Piece

P = ParamSpec("P")
R = TypeVar("R")

_BATCH_BYTES = 2 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_COPY_BYTES = 64 * 1024 * 1024
_MAX_PIECES = 512
_PARTIAL = ".partial"
_STALE_PARTIAL_S = 24 * 3600


class FolderStore:
    """Plain files, each written beside the others, synced, and renamed into place.

    cost:   file work runs in the store's own eight threads, so that a slow disk never blocks the event loop
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="storage")
        (root / _PARTIAL).mkdir(parents=True, exist_ok=True)
        _remove_stale(root / _PARTIAL)

    async def write_stream(self, key: str, pieces: AsyncIterable[Piece], *, content_type: str) -> int:  # noqa: ARG002
        """Write a file whole and durable, or leave nothing; return its size in bytes."""
        path, partial = self._path(key), self._new_partial()
        fd = await self._run(_create, partial)
        try:
            size = await self._append(fd, pieces)
            await self._run(os.fsync, fd)
            await self._run(_publish, partial, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
            raise
        finally:
            os.close(fd)
        return size

    async def open_range(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to, not including, `end`."""
        fd = await self._open(self._path(key))
        try:
            while end is None or start < end:
                wanted = _READ_BYTES if end is None else min(_READ_BYTES, end - start)
                piece = await self._run(os.pread, fd, wanted, start)
                if not piece:
                    return
                start += len(piece)
                yield piece
        finally:
            os.close(fd)

    async def head(self, key: str) -> BlobInfo | None:
        """Return what is known of a file, None if there is none."""
        path = self._path(key)
        try:
            return _info(key, await self._run(os.stat, path))
        except BlobMissing:
            return None

    async def delete(self, key: str) -> None:
        """Remove a file, and its folder once that is empty."""
        await self._run(_remove, self._path(key), self._root)

    async def concat(self, keys: Sequence[str], dest: str, *, content_type: str) -> int:  # noqa: ARG002
        """Make one file of several; a single one is renamed."""
        sources, target = [self._path(key) for key in keys], self._path(dest)
        if len(sources) == 1:
            return await self._run(_move, sources[0], target)
        partial = self._new_partial()
        try:
            return await self._run(_join, sources, partial, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
            raise

    async def list_blobs(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Yield every whole file whose key begins with a folder's name."""
        for info in await self._run(_walk, self._root, prefix):
            yield info

    async def check_ready(self) -> None:
        """Write and remove an empty file."""
        partial = self._new_partial()
        async with asyncio.timeout(5):
            os.close(await self._run(_create, partial))
            await self._run(partial.unlink)

    async def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _new_partial(self) -> Path:
        return self._root / _PARTIAL / uuid4().hex

    async def _open(self, path: Path) -> int:
        return await self._run(os.open, path, os.O_RDONLY)

    async def _append(self, fd: int, pieces: AsyncIterable[Piece]) -> int:
        size, waiting, waiting_bytes = 0, list[Piece](), 0
        async for piece in pieces:
            waiting.append(piece)
            waiting_bytes += len(piece)
            if waiting_bytes >= _BATCH_BYTES or len(waiting) >= _MAX_PIECES:
                size += await self._run(_write_all, fd, waiting)
                waiting, waiting_bytes = [], 0
        return size + await self._run(_write_all, fd, waiting)

    async def _run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))
        except FileNotFoundError as error:
            raise BlobMissing("there is no such object in storage") from error
        except OSError as error:
            raise StorageUnavailable(f"storage did not accept the bytes: {error.strerror}") from error


def _create(partial: Path) -> int:
    partial.parent.mkdir(parents=True, exist_ok=True)
    return os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)


def _write_all(fd: int, pieces: list[Piece]) -> int:
    total = sum(len(piece) for piece in pieces)
    while pieces:
        written = os.writev(fd, pieces)
        while pieces and written >= len(pieces[0]):
            written -= len(pieces.pop(0))
        if written:
            pieces[0] = memoryview(pieces[0])[written:]
    return total


def _publish(partial: Path, path: Path) -> None:
    _make_folder(path.parent)
    try:
        partial.replace(path)
    except FileNotFoundError:
        # another request removed the folder just after its last object went
        _make_folder(path.parent)
        partial.replace(path)
    _sync_folder(path.parent)


def _move(source: Path, target: Path) -> int:
    if not source.exists() and target.exists():
        return target.stat().st_size
    _publish(source, target)
    return target.stat().st_size


def _join(sources: list[Path], partial: Path, target: Path) -> int:
    fd = _create(partial)
    try:
        for source in sources:
            _copy_into(fd, source)
        os.fsync(fd)
        size = os.fstat(fd).st_size
    finally:
        os.close(fd)
    _publish(partial, target)
    return size


def _copy_into(fd: int, source: Path) -> None:
    source_fd = os.open(source, os.O_RDONLY)
    try:
        while _copy_some(source_fd, fd):
            pass
    finally:
        os.close(source_fd)


def _copy_some(source_fd: int, fd: int) -> int:
    try:
        return os.copy_file_range(source_fd, fd, _COPY_BYTES)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    piece = os.read(source_fd, _READ_BYTES)
    return _write_all(fd, [piece]) if piece else 0


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.parent != root:
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _remove_stale(folder: Path) -> None:
    for partial in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if partial.stat().st_mtime < time.time() - _STALE_PARTIAL_S:
                partial.unlink()


def _walk(root: Path, prefix: str) -> list[BlobInfo]:
    found = list[BlobInfo]()
    for folder, _, names in os.walk(root / prefix):
        for name in names:
            path = Path(folder) / name
            key = path.relative_to(root).as_posix()
            if not key.startswith(_PARTIAL):
                with contextlib.suppress(FileNotFoundError):
                    found.append(_info(key, path.stat()))
    return found


def _info(key: str, stat: os.stat_result) -> BlobInfo:
    return BlobInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
