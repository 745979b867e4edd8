"""A websocket to one of several hosts that is kept open: reconnecting, backing off, moving on to the next host."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, WebSocketException

from plyr.atproto.sync.errors import CursorTooOld, DataInvalid, SourceLost
from plyr.atproto.sync.events import StreamEvent

_TOO_BIG = 1009
_CLOSE_S = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source waits: for a connection, for the next message, between attempts, and for any host at all.

    units:  seconds; the wait between rounds over all hosts doubles from `first_wait_s` to `longest_wait_s`
    """

    open_s: float = 10.0
    idle_s: float = 120.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    give_up_s: float = 180.0


class Wire(Protocol):
    """One protocol over the websocket.

    shape:  `max_bytes` bounds a message; `rewind` is how far the cursor goes back when the host may be another one
    """

    kind: str
    max_bytes: int
    rewind: int

    def now(self) -> int | None:
        """Return the cursor of this moment, None where only the host knows it."""
        ...

    def address(self, host: str, cursor: int | None) -> str:
        """Return the URL that continues after `cursor`. errors: CursorTooOld if that cannot be asked for."""
        ...

    def read(self, message: bytes) -> StreamEvent | None:
        """Return the event a message holds, None for what does not concern us.

        errors: DataInvalid for one that cannot be read; ConnectionRefused; CursorTooOld
        """
        ...


class ConnectionRefused(Exception):
    """The host says in its own words that it ends this connection."""


class LiveSource:
    """A `Source` over one wire, see `plyr.atproto.sync.events`.

    shape:  hosts are websocket addresses without a path, tried in turn; `unreadable` counts messages that were
            skipped because they could not be read
    errors: SourceLost after `give_up_s` without a connection; CursorTooOld
    """

    def __init__(self, wire: Wire, hosts: Sequence[str], patience: Patience | None = None) -> None:
        if not hosts:
            raise ValueError("a source needs at least one host")
        self._wire = wire
        self._hosts = [host.rstrip("/") for host in hosts]
        self._patience = patience or Patience()
        self._turn = 0
        self.connected = asyncio.Event()
        self.unreadable = 0

    @property
    def name(self) -> str:
        """The kind of source and its hosts, whatever their order."""
        return f"{self._wire.kind}:{','.join(sorted(urlsplit(host).netloc for host in self._hosts))}"

    @property
    def host(self) -> str:
        """The host that is listened to, or asked next."""
        return self._hosts[self._turn % len(self._hosts)]

    async def stream(self, cursor: int | None) -> AsyncGenerator[StreamEvent, None]:
        """Yield what happened after `cursor`, from now on without one, and never end. See `Source.stream`."""
        position = _Position(self._wire.now() if cursor is None else cursor, self._hosts, self._wire.rewind)
        attempts = _Attempts(self._patience, len(self._hosts))
        while True:
            host = self.host
            address = self._wire.address(host, position.ask(host))
            try:
                async with self._open(address) as socket:
                    self.connected.set()
                    log.info("repo events: connected", host=host, cursor=position.cursor)
                    position.connected = True
                    attempts.succeeded()
                    while True:
                        async with asyncio.timeout(self._patience.idle_s):
                            message = await socket.recv(decode=False)
                        event = self._read(message)
                        if event is not None and position.advance(event.cursor):
                            attempts.heard()
                            yield event
            except (OSError, TimeoutError, WebSocketException, ConnectionRefused) as error:
                log.warning("repo events: connection lost", host=host, cursor=position.cursor, reason=_reason(error))
                position.stumble(error)
            finally:
                self.connected.clear()
            self._turn += 1
            await attempts.pause(self.name)

    def _open(self, address: str) -> connect:
        return connect(
            address,
            open_timeout=self._patience.open_s,
            close_timeout=_CLOSE_S,
            max_size=self._wire.max_bytes,
            max_queue=256,
            compression=None,
            proxy=None,
            user_agent_header="plyr.fm (+https://plyr.fm)",
        )

    def _read(self, message: bytes) -> StreamEvent | None:
        try:
            return self._wire.read(message)
        except DataInvalid as error:
            self.unreadable += 1
            log.warning("repo events: a message could not be read", host=self.host, reason=error.detail)
            return None


class _Position:
    """Where we stand, and what the connection may still tell us."""

    _STUMBLES = 3

    def __init__(self, cursor: int | None, hosts: Sequence[str], rewind: int) -> None:
        self.cursor = cursor
        # a cursor from an earlier life may come from any of the hosts
        self._host = hosts[0] if len(hosts) == 1 else None
        self._rewind = rewind
        self._floor = -1
        self._stumbles = 0
        self.connected = False

    def ask(self, host: str) -> int | None:
        """Return the cursor to ask a host for."""
        same, self._host = host == self._host, host
        if self.cursor is None:
            self._floor = -1
            return None
        self._floor = self.cursor if same else -1
        return self.cursor if same else max(0, self.cursor - self._rewind)

    def advance(self, cursor: int) -> bool:
        """Take note of an event; False for one that this connection told before."""
        if cursor <= self._floor:
            return False
        self._floor = self.cursor = cursor
        self._stumbles = 0
        return True

    def stumble(self, error: Exception) -> None:
        """Take note of a lost connection.

        errors: CursorTooOld when a message too big to take lies in our way, or when the host was heard from now on
                and never told where that is
        """
        if self.connected and self.cursor is None:
            raise CursorTooOld("the connection was lost before its first event, so what happened since is not known")
        if isinstance(error, ConnectionClosedError) and error.sent is not None and error.sent.code == _TOO_BIG:
            self._stumbles += 1
            if self._stumbles >= self._STUMBLES:
                raise CursorTooOld("a message after our cursor is larger than we take; go on behind it")


class _Attempts:
    """When to try again, and when to give up."""

    def __init__(self, patience: Patience, hosts: int) -> None:
        self._patience = patience
        self._hosts = hosts
        self._failed = 0
        self._reached_at = time.monotonic()
        self._opened_at: float | None = None

    def succeeded(self) -> None:
        """A host took the connection; that it also speaks is not known yet."""
        self._opened_at = time.monotonic()

    def heard(self) -> None:
        """A host told something new."""
        self._failed = 0

    async def pause(self, name: str) -> None:
        """Wait before the next attempt, only after a round over all hosts. errors: SourceLost."""
        if self._opened_at is not None:
            self._reached_at = time.monotonic()
            if self._reached_at - self._opened_at > self._patience.longest_wait_s:
                self._failed = 0
            self._opened_at = None
        self._failed += 1
        if time.monotonic() - self._reached_at > self._patience.give_up_s:
            raise SourceLost(f"none of {name} could be reached for {self._patience.give_up_s:g} seconds")
        rounds, rest = divmod(self._failed, self._hosts)
        if rest == 0:
            longest = min(self._patience.longest_wait_s, self._patience.first_wait_s * 2 ** min(rounds - 1, 16))
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects, no secret


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
