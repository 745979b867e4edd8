"""The process that reads strangers' files: no secrets, little memory, little time, bytes only through a pipe.

shape:  it asks for bytes with `R` offset length, is answered length and bytes, and ends with `D`, JSON and blobs;
        the other end is `sandbox.py`
"""

import io
import json
import resource
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

REQUEST = struct.Struct("!cQI")
LENGTH = struct.Struct("!I")
_BLOCK_BYTES = 256 * 1024
_BLOCKS_KEPT = 8
_MB = 1024 * 1024


class PipedFile(io.RawIOBase):
    """A file whose bytes are asked for through a pipe, in blocks, a few of them kept."""

    def __init__(self, size: int, answers: BinaryIO, requests: BinaryIO) -> None:
        self.size = size
        self._answers, self._requests = answers, requests
        self._position = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position; nothing is read yet."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer at the end."""
        wanted = self.size - self._position if size < 0 else min(size, self.size - self._position)
        parts = []
        while wanted > 0:
            number, skip = divmod(self._position, _BLOCK_BYTES)
            part = self._block(number)[skip : skip + wanted]
            if not part:
                break
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.pop(next(iter(self._blocks)))
            start = number * _BLOCK_BYTES
            self._blocks[number] = self._ask(start, min(_BLOCK_BYTES, self.size - start))
        return self._blocks[number]

    def _ask(self, start: int, length: int) -> bytes:
        self._requests.write(REQUEST.pack(b"R", start, length))
        self._requests.flush()
        (answered,) = LENGTH.unpack(_read_exactly(self._answers, LENGTH.size))
        return _read_exactly(self._answers, answered)


def _read_exactly(pipe: BinaryIO, length: int) -> bytes:
    data = pipe.read(length)
    if len(data) != length:
        raise SystemExit(3)
    return data


def _limit(memory_mb: int, cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * _MB, memory_mb * _MB))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def serve(read: Callable[[PipedFile], tuple[dict[str, Any], list[bytes]]]) -> None:
    """Read one file and answer once; the arguments are its size, and the limits in MB and seconds."""
    size, memory_mb, cpu_s = (int(value) for value in sys.argv[1:4])
    answers, requests = sys.stdin.buffer, sys.stdout.buffer
    # the libraries are loaded by now; from here on only the stranger's bytes are
    _limit(memory_mb, cpu_s)
    found, blobs = read(PipedFile(size, answers, requests))
    body = json.dumps({"found": found, "blobs": [len(blob) for blob in blobs]}).encode()
    requests.write(REQUEST.pack(b"D", 0, len(body)) + body + b"".join(blobs))
    requests.flush()
