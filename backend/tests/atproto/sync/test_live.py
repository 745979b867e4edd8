"""what a source makes of hosts that are slow, silent, broken, or repeat themselves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from devstack.ports import free_ports
from plyr.atproto.sync.errors import CursorTooOld, SourceLost
from plyr.atproto.sync.live import LiveSource, Patience
from plyr.atproto.sync.subscribe_repos import subscribe_repos
from plyr.kit.ids import Nsid
from tests.atproto.sync.building import commit_frame, error_frame, frame

NOTE = Nsid("fm.test.note")
QUICK = Patience(open_s=1, idle_s=0.3, first_wait_s=0.02, longest_wait_s=0.05, give_up_s=1)
Script = Callable[[ServerConnection], Awaitable[None]]
Play = Callable[..., Awaitable[tuple[LiveSource, list[int | None]]]]


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """`source, asked = await play(first, second)`: a host that does one script a connection, the last for ever."""
    async with AsyncExitStack() as stack:

        async def start(*scripts: Script) -> tuple[LiveSource, list[int | None]]:
            asked: list[int | None] = []

            async def handler(socket: ServerConnection) -> None:
                assert socket.request is not None
                cursor = parse_qs(urlsplit(socket.request.path).query).get("cursor")
                asked.append(int(cursor[0]) if cursor else None)
                await scripts[min(len(asked), len(scripts)) - 1](socket)

            server = await stack.enter_async_context(serve(handler, "127.0.0.1", 0, max_size=None))
            port = next(iter(server.sockets)).getsockname()[1]
            return subscribe_repos(f"ws://127.0.0.1:{port}", [NOTE], QUICK), asked

        yield start


def say(*messages: bytes, then_s: float = 0.0) -> Script:
    """return a script that sends some messages, waits, and hangs up."""

    async def act(socket: ServerConnection) -> None:
        for message in messages:
            await socket.send(message)
        await asyncio.sleep(then_s)

    return act


def note(seq: int) -> bytes:
    """return the frame of a commit with one note."""
    return commit_frame(seq, {f"{NOTE}/{seq}": {"n": seq}})


async def _cursors(source: LiveSource, count: int, cursor: int | None = 0) -> list[int]:
    async with asyncio.timeout(5), aclosing(source.stream(cursor)) as events:
        return [(await anext(events)).cursor for _ in range(count)]


async def test_stream_host_repeats_itself_each_event_comes_once(play: Play) -> None:
    source, _ = await play(say(note(1), note(1), note(2), note(1), note(2), note(3)))
    assert await _cursors(source, 3) == [1, 2, 3]


async def test_stream_connection_lost_goes_on_after_the_last_event(play: Play) -> None:
    source, asked = await play(say(note(1), note(2)), say(), say(note(2), note(3)))
    assert await _cursors(source, 3) == [1, 2, 3]
    assert asked == [0, 2, 2]


async def test_stream_silent_host_is_left(play: Play) -> None:
    source, asked = await play(say(note(1), then_s=30), say(note(2)))
    assert await _cursors(source, 2) == [1, 2]
    assert asked == [0, 1]


async def test_stream_unreadable_messages_are_skipped_and_counted(play: Play) -> None:
    source, _ = await play(say(b"noise", b"", note(1)[:-5], note(2)))
    assert await _cursors(source, 1) == [2]
    assert source.unreadable == 3


async def test_stream_host_ends_it_in_words_comes_back(play: Play) -> None:
    source, asked = await play(say(note(1), error_frame("ConsumerTooSlow")), say(note(2)))
    assert await _cursors(source, 2) == [1, 2]
    assert asked == [0, 1]


@pytest.mark.parametrize("said", [error_frame("FutureCursor"), frame("#info", {"name": "OutdatedCursor"})])
async def test_stream_cursor_refused_is_too_old(play: Play, said: bytes) -> None:
    source, _ = await play(say(said, note(1)))
    with pytest.raises(CursorTooOld):
        await _cursors(source, 1)


async def test_stream_message_too_large_again_and_again_is_given_up(play: Play) -> None:
    source, asked = await play(say(note(1), b"\x00" * (7 * 1024 * 1024), then_s=1))
    with pytest.raises(CursorTooOld):
        await _cursors(source, 2)
    assert asked == [0, 1, 1]


async def test_stream_lost_before_anything_was_heard_is_a_gap(play: Play) -> None:
    source, _ = await play(say())
    with pytest.raises(CursorTooOld):
        await _cursors(source, 1, None)


async def test_stream_nobody_there_is_source_lost() -> None:
    source = subscribe_repos(f"ws://127.0.0.1:{free_ports(1)[0]}", [NOTE], QUICK)
    with pytest.raises(SourceLost):
        await _cursors(source, 1)


async def test_connected_tells_whether_a_connection_is_open(play: Play) -> None:
    source, _ = await play(say(note(1), then_s=30))
    assert not source.connected.is_set()
    async with aclosing(source.stream(0)) as events:
        await anext(events)
        assert source.connected.is_set()
    assert not source.connected.is_set()


def test_name_is_the_same_whatever_the_order_of_hosts() -> None:
    wire = subscribe_repos("ws://a", [NOTE])._wire
    names = {LiveSource(wire, hosts).name for hosts in (["ws://a", "ws://b"], ["ws://b/", "ws://a"])}
    assert names == {"subscribe_repos:a,b"}
