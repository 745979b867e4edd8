"""The one HTTP client for every URL that a stranger can choose.

it goes to https on the default port only; resolves a name itself, refuses it if any of its addresses lies inside a
network, and connects to the very address it checked, so that a second look-up cannot change the answer. no
redirects, cookies, proxies or compression; a deadline over the whole exchange and a limit on the answer's size.
in development http to this machine is allowed on top (`allow_loopback`).
"""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpcore

from plyr.atproto.addresses import names_loopback, require_allowed
from plyr.atproto.errors import AnswerUnusable, HostUnreachable, UrlRefused

Resolver = Callable[[str, int], Awaitable[list[str]]]
Body = bytes | Callable[[], AsyncIterator[bytes]]
"""what is sent: bytes, or a function that starts the same stream anew each time it is called"""

_USER_AGENT = "plyr.fm (+https://plyr.fm)"
# reference servers drop idle connections after 5 s; a request sent into that moment would be lost
_KEEPALIVE_S = 4.0
_NEXT_ADDRESS_S = 3.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8, broken characters replaced."""
        return self.body.decode(errors="replace")

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object. errors: AnswerUnusable."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise AnswerUnusable(f"{urlsplit(self.url).netloc} answered with something that is not a JSON object")
        return value


@dataclass(frozen=True, slots=True)
class Stream:
    """An HTTP answer whose body is still coming; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    parts: AsyncIterator[bytes]


async def resolve_by_system(host: str, port: int) -> list[str]:
    """Return the addresses the operating system knows for a host, in its order. errors: OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedClient:
    """HTTP to strangers, see the module's text.

    shape:  `resolve` looks names up, `network` opens connections to addresses that were checked
    cost:   one pool of at most `max_connections` for the process; waiting for one counts into the deadline
    errors: UrlRefused, HostUnreachable, AnswerUnusable from every request
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolve: Resolver = resolve_by_system,
        ssl_context: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        max_connections: int = 100,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or httpcore.default_ssl_context(),
            max_connections=max_connections,
            max_keepalive_connections=20,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_CheckedBackend(resolve, allow_loopback, network or httpcore.AnyIOBackend()),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    def require_url(self, url: str) -> str:
        """Return a URL that may be asked, as far as its text tells. errors: UrlRefused."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise UrlRefused(f"{url[:200]!r} is not a URL") from None
        printable = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if not printable or not host or "@" in parts.netloc:
            raise UrlRefused(f"{url[:200]!r} is not a URL we can ask")
        if self._allow_loopback and names_loopback(host):
            if parts.scheme in ("http", "https"):
                return url
        elif parts.scheme == "https" and port in (None, 443):
            return url
        raise UrlRefused(f"{url[:200]} must be https on its usual port")

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = 8.0,
        max_bytes: int = 256 * 1024,
        redirects: int = 0,
    ) -> Answer:
        """Ask for a document, following at most `redirects` redirects, each checked like the first address."""
        target = f"{url}?{urlencode(params)}" if params else url
        answer = await self.request("GET", target, headers=headers, deadline_s=deadline_s, max_bytes=max_bytes)
        if redirects == 0 or answer.status not in _REDIRECTS or "location" not in answer.headers:
            return answer
        # never the caller's headers: they were meant for the first host
        target = urljoin(target, answer.headers["location"])
        return await self.get(target, deadline_s=deadline_s, max_bytes=max_bytes, redirects=redirects - 1)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: Body | None = None,
        deadline_s: float = 10.0,
        max_bytes: int = 1024 * 1024,
    ) -> Answer:
        """Send one request and return its whole answer, whatever its status.

        units:  `deadline_s` covers resolving, connecting, sending and reading; `max_bytes` the answer's body
        errors: UrlRefused before anything is sent; HostUnreachable; AnswerUnusable when it is too large
        """
        self.require_url(url)
        parts = urlsplit(url)
        sent = {"host": parts.netloc, "user-agent": _USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        if isinstance(content, bytes):
            sent["content-length"] = str(len(content))
        elif content is not None and "content-length" not in sent:
            sent["transfer-encoding"] = "chunked"
        try:
            async with asyncio.timeout(deadline_s):
                return await self._exchange(method, url, sent, content, max_bytes)
        except TimeoutError:
            raise HostUnreachable(f"{parts.netloc} did not answer within {deadline_s:g} seconds") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise HostUnreachable(f"{parts.netloc} could not be reached") from error

    @contextlib.asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = 600.0,
        idle_s: float = 30.0,
        max_bytes: int,
    ) -> AsyncIterator["Stream"]:
        """Ask for something large and hand out its body as it comes, whatever the answer's status.

        units:  `deadline_s` covers everything inside the block; `idle_s` each wait for more; `max_bytes` the body
        errors: UrlRefused before anything is sent; HostUnreachable and AnswerUnusable, also while reading
        """
        self.require_url(url)
        host = urlsplit(url).netloc
        sent = {"host": host, "user-agent": _USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        waits = {"connect": idle_s, "read": idle_s, "write": idle_s, "pool": idle_s}
        limit = asyncio.timeout(deadline_s)
        try:
            async with (
                limit,
                self._pool.stream("GET", url, headers=list(sent.items()), extensions={"timeout": waits}) as response,
            ):
                yield Stream(url, response.status, _header_fields(response), _bounded(response, host, max_bytes))
        except TimeoutError:
            if not limit.expired():
                raise
            raise HostUnreachable(f"{host} was not done within {deadline_s:g} seconds") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise HostUnreachable(f"{host} could not be reached, or broke off") from error

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: Body | None, max_bytes: int
    ) -> Answer:
        body = content if isinstance(content, bytes) or content is None else content()
        async with self._pool.stream(method, url, headers=list(headers.items()), content=body) as response:
            body_parts = [part async for part in _bounded(response, urlsplit(url).netloc, max_bytes)]
            return Answer(url, response.status, _header_fields(response), b"".join(body_parts))


def _header_fields(response: httpcore.Response) -> dict[str, str]:
    received: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        received[name] = f"{received[name]}, {value}" if name in received else value
    return received


async def _bounded(response: httpcore.Response, host: str, max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        if size > max_bytes:
            raise AnswerUnusable(f"{host} answered with more than {max_bytes} bytes")
        yield part


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses it has checked; TLS above it still verifies the name that was asked for."""

    def __init__(self, resolve: Resolver, allow_loopback: bool, network: httpcore.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._allow_loopback = allow_loopback
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class says so
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address for {host}") from error
        require_allowed(host, addresses, allow_loopback=self._allow_loopback)
        *others, last = addresses
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._network.connect_tcp(
                    address, port, timeout=_NEXT_ADDRESS_S, socket_options=socket_options
                )
        return await self._network.connect_tcp(last, port, timeout=timeout, socket_options=socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
