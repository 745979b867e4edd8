"""Running the reading process: feeding it ranges of a stored object, and ending it when it takes too long."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from plyr.media.errors import REFUSALS, MediaRefused, ReadingFailed
from plyr.media.piped import LENGTH, REQUEST

ReadRange = Callable[[int, int], AsyncIterator[bytes]]

_SOURCE_ROOT = str(Path(__file__).resolve().parents[2])
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "HOME")
_MAX_ANSWER_BYTES = 16 * 1024 * 1024
_AT_ONCE = 2
_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def read_outside(
    task: Literal["audio", "pictures"],
    read: ReadRange,
    size_bytes: int,
    *,
    memory_mb: int,
    cpu_s: int,
    deadline_s: float,
) -> tuple[dict[str, Any], list[bytes]]:
    """Let a process of its own read a file, and return what it found.

    shape:  `read(start, end)` yields bytes of the file; the child sees neither settings nor storage
    errors: MediaRefused with the reason; ReadingFailed when the deadline passes; what `read` raises
    cost:   one process a file, two at once; about 0.2 s to start
    """
    loop = asyncio.get_running_loop()
    slots = _slots.setdefault(loop, asyncio.Semaphore(_AT_ONCE))
    async with slots:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"plyr.media.{task}", str(size_bytes), str(memory_mb), str(cpu_s),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )  # fmt: skip
        try:
            async with asyncio.timeout(deadline_s):
                found, blobs = await _converse(process, read)
        except TimeoutError as error:
            raise ReadingFailed(f"reading the file took more than {deadline_s:.0f} seconds") from error
        finally:
            await _end(process)
    if "refused" in found:
        raise REFUSALS[found["refused"]](found["detail"])
    return found, blobs


async def _converse(process: asyncio.subprocess.Process, read: ReadRange) -> tuple[dict[str, Any], list[bytes]]:
    answers, requests = process.stdin, process.stdout
    if answers is None or requests is None:
        raise ReadingFailed("the reading process has no pipes")
    try:
        while True:
            kind, start, length = REQUEST.unpack(await requests.readexactly(REQUEST.size))
            if kind == b"D":
                return await _result(requests, length)
            data = b"".join([piece async for piece in read(start, start + length)])
            answers.write(LENGTH.pack(len(data)) + data)
            await answers.drain()
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise MediaRefused("this file could not be read with the memory and time a file of its kind needs") from error


async def _result(requests: asyncio.StreamReader, length: int) -> tuple[dict[str, Any], list[bytes]]:
    if length > _MAX_ANSWER_BYTES:
        raise ReadingFailed("the reading process answered too much")
    answer = json.loads(await requests.readexactly(length))
    if sum(answer["blobs"]) > _MAX_ANSWER_BYTES:
        raise ReadingFailed("the reading process answered too much")
    return answer["found"], [await requests.readexactly(size) for size in answer["blobs"]]


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": _SOURCE_ROOT, "PYTHONDONTWRITEBYTECODE": "1"}
