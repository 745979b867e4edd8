"""small real servers on loopback: http, https with a certificate of its own authority, dns."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plyr.atproto.guarded import GuardedClient, Resolver

PUBLIC = "93.184.216.34"
Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class WebServer:
    """answers GETs by (host, path); remembers what it was asked."""

    pages: dict[tuple[str, str], Reply] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    def page(self, host: str, path: str, body: str | bytes, *, status: int = 200, **headers: str) -> None:
        """serve a page."""
        content = body.encode() if isinstance(body, str) else body
        self.pages[host, path] = (status, headers or {"content-type": "application/json"}, content)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """answer one request."""
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = lines[0].split(" ")[1]
            host = next(line[6:] for line in lines if line.lower().startswith("host: "))
            self.asked.append((host, path))
            status, headers, body = self.pages.get((host, path), (404, {}, b""))
            head = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "connection: close"]
            head += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def web_server(context: ssl.SSLContext | None = None) -> AsyncIterator[WebServer]:
    """run a web server on a free port of 127.0.0.1."""
    web = WebServer()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=context)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web


class RoutedNetwork(httpcore.AsyncNetworkBackend):
    """connects to loopback what was meant for a public address, and remembers the address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected: list[tuple[str, int]] = []
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return await self._real.connect_tcp("127.0.0.1", self.port, timeout=timeout)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def resolving(table: Mapping[str, list[str]]) -> Resolver:
    """return a resolver that knows these names only."""

    async def resolve(host: str, _port: int) -> list[str]:
        if host not in table:
            raise OSError(f"unknown {host}")
        return table[host]

    return resolve


@asynccontextmanager
async def public_web(folder: Path, *names: str) -> AsyncIterator[tuple[WebServer, GuardedClient, RoutedNetwork]]:
    """run an https server for names of the open internet, and a guarded client that reaches it there."""
    server_context, client_context = certificates(folder, *names)
    async with web_server(server_context) as web:
        network = RoutedNetwork(web.port)
        resolve = resolving({name: [PUBLIC] for name in names})
        async with GuardedClient(resolve=resolve, ssl_context=client_context, network=network) as http:
            yield web, http, network


def certificates(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """return TLS contexts of a server with these names, and of a client that trusts its authority alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


@dataclass
class NameServer:
    """answers TXT queries from a table; `None` as an answer is a failure of the server."""

    texts: dict[str, list[str] | None] = field(default_factory=dict)
    resolver: dns.asyncresolver.Resolver = field(default_factory=lambda: dns.asyncresolver.Resolver(configure=False))


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """run a dns server on a free port of 127.0.0.1."""
    names = NameServer()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Dns(names), local_addr=("127.0.0.1", 0))
    names.resolver.nameservers = [str(ipaddress.ip_address("127.0.0.1"))]
    names.resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield names
    finally:
        transport.close()


class _Dns(asyncio.DatagramProtocol):
    def __init__(self, names: NameServer) -> None:
        self._names = names
        self._send: Callable[[bytes, Any], None] = lambda _data, _to: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._send = cast("asyncio.DatagramTransport", transport).sendto

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        asked = query.question[0].name.to_text(omit_final_dot=True)
        texts = self._names.texts.get(asked, [])
        if texts is None:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TXT", *quoted))
        self._send(answer.to_wire(), addr)
