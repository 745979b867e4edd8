"""a proxy on loopback that stands before the real PDS and misbehaves when asked to.

    faults.on("com.atproto.repo.putRecord", drop_answer())      # the PDS commits, nobody hears of it
    faults.on("/oauth/token", answer(500), times=2)
    faults.on("/oauth/par", hang())

a rule matches when its text is part of the request's path; the oldest rule that still has turns wins. it runs in its
own thread, so that it works for async tests, for blocking ones and for other processes alike.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

_LIMIT = 1 << 20


@dataclass
class Exchange:
    """one request as the proxy holds it, and the way to the real server; status is what the client was told."""

    method: str
    path: str
    head: bytes
    client_reader: asyncio.StreamReader
    client_writer: asyncio.StreamWriter
    proxy: "FaultProxy"
    status: int | None = None

    async def pass_on(self, *, deliver: bool = True) -> None:
        """send the request to the real server; its answer goes to the client unless `deliver` is False."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.upstream_port, limit=_LIMIT)
        try:
            if b"\r\nupgrade:" in self.head.lower():
                writer.write(self.head)
                await _splice(self, reader, writer)
                return
            writer.write(_closing(self.head))
            await asyncio.gather(_copy_body(self, writer), self._take_answer(reader, deliver=deliver))
        finally:
            writer.close()

    async def _take_answer(self, reader: asyncio.StreamReader, *, deliver: bool) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.proxy.remember_nonce(head)
        if deliver:
            self.status = int(head.split(b" ", 2)[1])
            self.client_writer.write(head)
        while chunk := await reader.read(65536):
            if deliver:
                self.client_writer.write(chunk)
                await self.client_writer.drain()

    async def swallow_body(self) -> None:
        """read what the client sends and throw it away."""
        await _copy_body(self, None)

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """answer in the real server's place."""
        self.status = status
        lines = [f"HTTP/1.1 {status} fault", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.client_writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


Fault = Callable[[Exchange], Awaitable[None]]


def answer(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Fault:
    """the server answers with this status and never does the work."""

    async def act(exchange: Exchange) -> None:
        await exchange.swallow_body()
        content = json.dumps(body or {"error": "Fault", "message": "a fault of the test"}).encode()
        exchange.reply(status, {"content-type": "application/json", **(headers or {})}, content)

    return act


def too_many_requests(retry_after_s: int = 1) -> Fault:
    """the server says to come back later."""
    body = {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
    return answer(429, body, {"retry-after": str(retry_after_s)})


def hang(seconds: float = 3600) -> Fault:
    """the server takes the request and says nothing for so long, then hangs up."""

    async def act(exchange: Exchange) -> None:
        await exchange.swallow_body()
        await asyncio.sleep(seconds)

    return act


def delay(seconds: float) -> Fault:
    """the server is slow, and otherwise well."""

    async def act(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.pass_on()

    return act


def reset() -> Fault:
    """the connection breaks before the server has read the request."""

    async def act(exchange: Exchange) -> None:
        exchange.client_writer.transport.abort()

    return act


def drop_answer() -> Fault:
    """the server does the work and its answer is lost."""

    async def act(exchange: Exchange) -> None:
        await exchange.pass_on(deliver=False)
        exchange.client_writer.transport.abort()

    return act


def new_nonce() -> Fault:
    """the server asks for another DPoP nonce, one the real server takes; some request must have gone through before."""

    async def act(exchange: Exchange) -> None:
        await exchange.swallow_body()
        nonce = exchange.proxy.latest_nonce
        assert nonce is not None, "no DPoP nonce has been seen yet: let a request through first"
        headers = {"dpop-nonce": nonce, "content-type": "application/json"}
        if not exchange.path.startswith("/oauth/"):
            headers["www-authenticate"] = 'DPoP error="use_dpop_nonce"'
        body = b'{"error":"use_dpop_nonce","error_description":"a fresh nonce, please"}'
        exchange.reply(400 if exchange.path.startswith("/oauth/") else 401, headers, body)

    return act


@dataclass
class _Rule:
    text: str
    fault: Fault
    turns: float
    method: str | None


@dataclass
class FaultProxy:
    """listens on `port`, passes on to `upstream_port`; a context manager."""

    port: int
    upstream_port: int
    seen: list[Exchange] = field(default_factory=list)
    latest_nonce: str | None = None
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, text: str, fault: Fault, *, times: float = 1, method: str | None = None) -> None:
        """misbehave the next `times` times a path contains `text` (times=float("inf"): until `clear`)."""
        with self._lock:
            self._rules.append(_Rule(text, fault, times, method))

    def clear(self) -> None:
        """behave from now on, and forget what came by."""
        with self._lock:
            self._rules.clear()
            self.seen.clear()

    def count(self, text: str) -> int:
        """return how many requests with `text` in their path came by since the last `clear`."""
        with self._lock:
            return sum(text in one.path for one in self.seen)

    def remember_nonce(self, head: bytes) -> None:
        """keep the DPoP nonce of an answer's head, if it has one."""
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"dpop-nonce":
                self.latest_nonce = value.strip().decode()

    def __enter__(self) -> "FaultProxy":
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="fault proxy", daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stopped = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=_LIMIT)
        ready.set()
        await self._stopped.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            exchange = Exchange(method, path, head, reader, writer, self)
            fault = self._take_fault(method, path)
            with self._lock:
                self.seen.append(exchange)
            await (fault(exchange) if fault else exchange.pass_on())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side hung up: a proxy has nobody to tell
        finally:
            writer.close()

    def _take_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if rule.turns > 0 and rule.text in path and rule.method in (None, method):
                    rule.turns -= 1
                    return rule.fault
        return None


def _header(head: bytes, wanted: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == wanted:
            return value.strip().lower()
    return None


def _closing(head: bytes) -> bytes:
    """return a request head that asks for one answer and no more on its connection."""
    lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"connection: close"]) + b"\r\n\r\n"


async def _copy_body(exchange: Exchange, to: asyncio.StreamWriter | None) -> None:
    reader = exchange.client_reader
    if _header(exchange.head, b"transfer-encoding") == b"chunked":
        while await _copy_chunk(reader, to):
            pass
        return
    left = int(_header(exchange.head, b"content-length") or 0)
    while left > 0:
        piece = await reader.read(min(left, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        await _forward(to, piece)


async def _copy_chunk(reader: asyncio.StreamReader, to: asyncio.StreamWriter | None) -> bool:
    size_line = await reader.readuntil(b"\r\n")
    size = int(size_line.split(b";")[0], 16)
    await _forward(to, size_line + await reader.readexactly(size + 2))
    return size > 0


async def _forward(to: asyncio.StreamWriter | None, piece: bytes) -> None:
    if to is not None:
        to.write(piece)
        await to.drain()


async def _splice(exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            await _forward(sink, piece)
        sink.close()

    await asyncio.gather(pump(exchange.client_reader, writer), pump(reader, exchange.client_writer))
