"""What was received and is not applied yet: bounded, so that a slow database slows the socket and fills no memory."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from plyr.atproto.sync.events import Commit, StreamEvent
from plyr.kit.tid import tid_time

CAPACITY = 4000


class Buffer:
    """A line of events; whoever puts one in waits while it is full.

    units:  an event weighs 1 and 1 for each of its records
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._line: deque[StreamEvent] = deque()
        self._weight = 0
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._line)

    async def put(self, event: StreamEvent) -> None:
        """Add an event at the end, once there is room."""
        while self._weight >= self._capacity:
            self._drained.clear()
            await self._drained.wait()
        self._line.append(event)
        self._weight += _weight(event)
        self._filled.set()

    async def take(self, limit: int, wait_s: float) -> list[StreamEvent]:
        """Return the oldest events, as many as there are up to `limit`; none if none came within `wait_s`."""
        if not self._line and not self._closed:
            self._filled.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._filled.wait()
            except TimeoutError:
                return []
        taken = [self._line.popleft() for _ in range(min(limit, len(self._line)))]
        self._weight -= sum(map(_weight, taken))
        self._drained.set()
        return taken

    def close(self) -> None:
        """Nothing more comes: let `take` return at once."""
        self._closed = True
        self._filled.set()


def _weight(event: StreamEvent) -> int:
    return 1 + len(event.event.ops) if isinstance(event.event, Commit) else 1


def begun_at(events: Sequence[StreamEvent]) -> datetime | None:
    """Return when the first commit among some events was made, None without one."""
    for event in events:
        if isinstance(event.event, Commit):
            return event.event.time or tid_time(event.event.rev)
    return None
