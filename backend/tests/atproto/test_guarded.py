"""the guarded client: where it goes, and where nothing can make it go."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.atproto.addresses import is_public
from plyr.atproto.errors import AnswerUnusable, HostUnreachable, UrlRefused
from plyr.atproto.guarded import GuardedClient
from tests.atproto.servers import PUBLIC, RoutedNetwork, certificates, public_web, resolving, web_server

NAME = "pds.example.com"
ANYWHERE = GuardedClient(allow_loopback=True)
INSIDE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:0a00:0001::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]


@pytest.mark.parametrize("address", INSIDE)
async def test_request_to_a_name_inside_a_network_never_connects(address: str) -> None:
    assert not is_public(address)
    network = RoutedNetwork(1)
    for addresses in ([address], [PUBLIC, address]):
        resolve = resolving({NAME: addresses})
        async with GuardedClient(resolve=resolve, network=network, allow_loopback=True) as http:
            with pytest.raises(UrlRefused):
                await http.get(f"https://{NAME}/")
    assert network.connected == []


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"])
def test_open_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_request_to_this_machine_is_refused_however_it_is_written(url: str) -> None:
    async with GuardedClient() as http:
        with pytest.raises((UrlRefused, HostUnreachable)) as refused:
            await http.get(url)
    # a spelling the system cannot read is a name nobody knows; every other one must be refused
    assert isinstance(refused.value, UrlRefused) or "could not be reached" in refused.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "http://pds.example.com/",
        "https://pds.example.com:8443/",
        "https://pds.example.com:22/",
        "ftp://pds.example.com/",
        "file:///etc/passwd",
        "//pds.example.com/",
        "https://user:pw@pds.example.com/",
        "https://pds.example.com@127.0.0.1/",
        "https://pds.example.com\\@127.0.0.1/",
        "https://pds.example.com/\r\nhost: x",
        "https://pds.example.com/a b",
        "https://pds.exämple.com/",
        "https://pds.example.com:99999/",
        "https://[::1",
        "https://",
        "",
        "http://localhost:2583/",
    ],
)
async def test_request_to_an_unusable_url_never_resolves(url: str) -> None:
    async def resolve(host: str, _port: int) -> list[str]:
        raise AssertionError(f"resolved {host}")

    async with GuardedClient(resolve=resolve) as http:
        with pytest.raises(UrlRefused):
            await http.get(url)


async def test_request_connects_to_the_address_it_checked_and_verifies_the_name(tmp_path: Path) -> None:
    async with public_web(tmp_path, NAME) as (web, http, network):
        web.page(NAME, "/", '{"a": 1}')
        answer = await http.get(f"https://{NAME}/")
        assert answer.json_object() == {"a": 1}
        assert network.connected == [(PUBLIC, 443)]


async def test_request_to_a_server_with_another_names_certificate_fails(tmp_path: Path) -> None:
    server_context, client_context = certificates(tmp_path, "other.example.com")
    async with web_server(server_context) as web:
        network = RoutedNetwork(web.port)
        resolve = resolving({NAME: [PUBLIC]})
        async with GuardedClient(resolve=resolve, ssl_context=client_context, network=network) as http:
            with pytest.raises(HostUnreachable):
                await http.get(f"https://{NAME}/")
    assert web.asked == []


async def test_name_that_changes_its_address_between_requests_is_refused(tmp_path: Path) -> None:
    answers = itertools.chain([[PUBLIC]], itertools.repeat(["127.0.0.1"]))

    async def rebinding(_host: str, _port: int) -> list[str]:
        return next(answers)

    server_context, client_context = certificates(tmp_path, NAME)
    async with web_server(server_context) as web:
        network = RoutedNetwork(web.port)
        web.page(NAME, "/", "{}")
        async with GuardedClient(resolve=rebinding, ssl_context=client_context, network=network) as http:
            assert (await http.get(f"https://{NAME}/")).status == 200
            with pytest.raises(UrlRefused):
                await http.get(f"https://{NAME}/")
    assert network.connected == [(PUBLIC, 443)]


async def test_redirects_are_not_followed_unless_asked_and_are_checked_again(tmp_path: Path) -> None:
    other = "other.example.com"
    async with public_web(tmp_path, NAME, other) as (web, http, _):
        web.page(NAME, "/", "", status=302, location=f"https://{other}/x")
        web.page(other, "/x", "there")
        web.page(NAME, "/in", "", status=302, location="http://127.0.0.1/")
        web.page(NAME, "/loop", "", status=307, location="/loop")
        assert (await http.get(f"https://{NAME}/")).status == 302
        assert (await http.get(f"https://{NAME}/", redirects=1)).text == "there"
        with pytest.raises(UrlRefused):
            await http.get(f"https://{NAME}/in", redirects=3)
        assert (await http.get(f"https://{NAME}/loop", redirects=3)).status == 307
        assert sum(path == "/loop" for _, path in web.asked) == 4


async def test_answer_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    async with public_web(tmp_path, NAME) as (web, http, _):
        web.page(NAME, "/", b"x" * 1001)
        assert len((await http.get(f"https://{NAME}/", max_bytes=1001)).body) == 1001
        with pytest.raises(AnswerUnusable):
            await http.get(f"https://{NAME}/", max_bytes=1000)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"])
async def test_server_that_drips_is_given_up_at_the_deadline(said: bytes) -> None:
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                writer.write(b"x" if said else b"")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with GuardedClient(allow_loopback=True) as http:
        began = time.monotonic()
        with pytest.raises(HostUnreachable):
            await http.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", deadline_s=0.4)
        assert time.monotonic() - began < 1.5
    await hung_up.wait()
    server.close()


async def test_streamed_body_arrives_whole() -> None:
    received = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 300000" in head
        received.set_result(await reader.readexactly(300_000))
        writer.write(b"HTTP/1.1 204 x\r\nconnection: close\r\n\r\n")
        writer.close()

    async def body() -> AsyncIterator[bytes]:
        for letter in (b"a", b"b", b"c"):
            yield letter * 100_000

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with GuardedClient(allow_loopback=True) as http:
        answer = await http.request("POST", url, content=body, headers={"content-length": "300000"})
    server.close()
    assert answer.status == 204
    assert await received == b"a" * 100_000 + b"b" * 100_000 + b"c" * 100_000


async def test_development_reaches_this_machine_by_http_and_nothing_else_inside() -> None:
    async with web_server() as web, GuardedClient(allow_loopback=True) as http:
        web.page(f"localhost:{web.port}", "/", "here")
        assert (await http.get(f"http://localhost:{web.port}/")).text == "here"
        for url in ("http://10.0.0.1/", "http://192.168.1.1:80/", "http://pds.example.com/"):
            with pytest.raises(UrlRefused):
                await http.get(url)


@given(st.text(max_size=40), st.sampled_from(["https://", "http://", "", "https://[", "https://a.example.com:"]))
def test_require_url_takes_any_text(text: str, start: str) -> None:
    url = start + text
    with contextlib.suppress(UrlRefused):
        assert ANYWHERE.require_url(url) == url


@pytest.mark.parametrize(("deadline_s", "idle_s"), [(0.3, 30), (30, 0.3)])
async def test_stream_host_that_stops_in_the_middle_is_unreachable(deadline_s: float, idle_s: float) -> None:
    left = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 ok\r\ncontent-length: 100\r\n\r\nhalf")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, GuardedClient(allow_loopback=True) as http:
        with pytest.raises(HostUnreachable):
            async with http.stream(url, max_bytes=1000, deadline_s=deadline_s, idle_s=idle_s) as answer:
                assert await anext(answer.parts) == b"half"
                await anext(answer.parts)
        await asyncio.wait_for(left.wait(), 5)


async def test_stream_goes_nowhere_a_request_may_not_go() -> None:
    async with GuardedClient() as http:
        with pytest.raises(UrlRefused):
            async with http.stream("http://127.0.0.1/", max_bytes=1000):
                pass
