"""both sources against the real PDS: they tell the same history, go on exactly where they stopped, and come back."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from pathlib import Path

import httpx
import pytest

from devstack.jetstream import Bridge
from devstack.network import Network, Options, running
from devstack.ports import free_ports
from plyr.atproto.sync.errors import CursorTooOld
from plyr.atproto.sync.events import AccountChanged, Commit, IdentityChanged, RepoSynced, StreamEvent
from plyr.atproto.sync.jetstream import jetstream
from plyr.atproto.sync.live import LiveSource, Patience
from plyr.atproto.sync.subscribe_repos import subscribe_repos
from tests.atproto.sync.conftest import StartBridge
from tests.atproto.sync.people import (
    FOREIGN,
    LIKE,
    OURS,
    Person,
    create,
    ops,
    remove,
    take,
    take_until_deleted,
    update,
)
from tests.fixtures.network import StartNetwork

QUICK = Patience(open_s=5, idle_s=20, first_wait_s=0.05, longest_wait_s=0.2, give_up_s=20)


def hour_ago() -> int:
    """return jetstream's cursor of an hour ago."""
    return int((time.time() - 3600) * 1_000_000)


async def _write_history(person: Person) -> None:
    await person.put("a", "first")
    await person.put("a", "second")
    await person.put("elsewhere", "not ours", FOREIGN)
    await person.put("b", "b")
    await person.write(create("c", "c"), update("a", "third"), remove("b"), create("x", "no", FOREIGN))
    await person.put("like", "l", LIKE)
    await person.delete("a")
    await person.put("end", "the last one")


async def test_subscribe_repos_history_is_told_whole_and_in_order(
    network: Network, outside: httpx.AsyncClient, pds_socket: str
) -> None:
    person = Person(network, outside)
    await _write_history(person)
    told = await take(subscribe_repos(pds_socket, OURS, QUICK), 0, until="end", did=person.did)
    assert [(op.action, op.rkey) for _, op in ops(told)] == [
        ("put", "a"),
        ("put", "a"),
        ("put", "b"),
        ("put", "c"),
        ("put", "a"),
        ("delete", "b"),
        ("put", "like"),
        ("delete", "a"),
        ("put", "end"),
    ]
    assert [rev for rev, _ in ops(told)] == sorted(rev for rev, _ in ops(told))
    assert [one.cursor for one in told] == sorted({one.cursor for one in told})
    listed = await person.listed()
    last = {op.rkey: (op.cid, op.record) for _, op in ops(told) if op.rkey in listed}
    assert last == listed


async def test_both_sources_same_history_same_record_ops(
    network: Network, outside: httpx.AsyncClient, pds_socket: str, start_bridge: StartBridge
) -> None:
    person = Person(network, outside)
    await _write_history(person)
    one = await take(subscribe_repos(pds_socket, OURS, QUICK), 0, until="end", did=person.did)
    host = await start_bridge(Bridge(pds_socket))
    other = await take(jetstream([host], OURS, QUICK), hour_ago(), until="end", did=person.did)
    assert ops(one) == ops(other)


@pytest.mark.parametrize("kind", ["subscribe_repos", "jetstream"])
async def test_cursor_any_place_to_stop_goes_on_exactly_there(
    kind: str, network: Network, outside: httpx.AsyncClient, pds_socket: str, start_bridge: StartBridge
) -> None:
    person = Person(network, outside)
    await _write_history(person)
    if kind == "jetstream":
        host = await start_bridge(Bridge(pds_socket))
        source, first = jetstream([host], OURS, QUICK), hour_ago()
    else:
        source, first = subscribe_repos(pds_socket, OURS, QUICK), 0
    whole = await take(source, first, until="end", did=person.did)
    for number in range(len(whole) - 1):
        rest = await take(source, whole[number].cursor, until="end", did=person.did)
        # commits that only carry the cursor come by the clock
        assert [one for one in rest if _says(one)] == [one for one in whole[number + 1 :] if _says(one)] or (
            kind == "jetstream" and rest[0] == whole[number] and rest[1:] == whole[number + 1 :]
        )


def _says(one: StreamEvent) -> bool:
    return not (isinstance(one.event, Commit) and not one.event.ops)


@pytest.mark.parametrize("kind", ["subscribe_repos", "jetstream"])
async def test_life_of_an_account_is_told_to_its_end(
    kind: str,
    start_network: StartNetwork,
    outside: httpx.AsyncClient,
    start_bridge: StartBridge,
    tmp_path: Path,
) -> None:
    network = start_network()
    socket = network.pds_url.replace("http://", "ws://")
    person = Person(network, outside, tmp_path / f"network-{network.pds_url.rsplit(':', 1)[1]}")
    source: LiveSource = subscribe_repos(socket, OURS, QUICK)
    if kind == "jetstream":
        source = jetstream([await start_bridge(Bridge(socket))], OURS, QUICK)
    listening = asyncio.create_task(take_until_deleted(source, hour_ago() if kind == "jetstream" else 0, person.did))
    await asyncio.wait_for(source.connected.wait(), 10)
    await _write_history(person)
    await person.rename(f"new-{person.account.handle}")
    for act in (person.deactivate, person.activate, person.take_down):
        await act()
        await asyncio.sleep(0.4)
    await person.take_down(applied=False)
    await asyncio.sleep(0.4)
    await person.vanish()
    events = [one.event for one in await asyncio.wait_for(listening, 30)]
    states = [(event.active, event.status) for event in events if isinstance(event, AccountChanged)]
    assert states == [
        (True, None),
        (False, "deactivated"),
        (True, None),
        (False, "takendown"),
        (True, None),
        (False, "deleted"),
    ]
    handles = [event.handle for event in events if isinstance(event, IdentityChanged)]
    assert handles[0] == person.account.handle
    assert f"new-{person.account.handle}" in handles
    assert any(isinstance(event, RepoSynced) for event in events) == (kind == "subscribe_repos")
    assert len([event for event in events if isinstance(event, Commit) and event.ops]) >= 7


async def test_subscribe_repos_pds_restarts_nothing_is_lost_or_told_twice(
    tmp_path: Path, outside: httpx.AsyncClient
) -> None:
    plc_port, pds_port = free_ports(2)
    options = Options(tmp_path / "network", plc_port, pds_port, accounts=())
    source = subscribe_repos(f"ws://localhost:{pds_port}", OURS, QUICK)
    with ExitStack() as first:
        person = Person(await asyncio.to_thread(first.enter_context, running(options)), outside)
        listening = asyncio.create_task(take(source, 0, until="end", did=person.did))
        await person.put("a", "before")
        await asyncio.wait_for(source.connected.wait(), 10)
        await person.put("b", "before")
        await asyncio.to_thread(first.close)
    assert not source.connected.is_set()
    with ExitStack() as second:
        await asyncio.to_thread(second.enter_context, running(options))
        await person.put("c", "after")
        await person.put("end", "after")
        told = await asyncio.wait_for(listening, 30)
        await asyncio.to_thread(second.close)
    assert [op.rkey for _, op in ops(told)] == ["a", "b", "c", "end"]


async def test_subscribe_repos_cursor_of_the_future_is_too_old(pds_socket: str) -> None:
    async with aclosing(subscribe_repos(pds_socket, OURS, QUICK).stream(10**12)) as events:
        with pytest.raises(CursorTooOld):
            await anext(events)


@pytest.mark.parametrize("away_s", [25 * 3600, -3600])
async def test_jetstream_cursor_nobody_keeps_is_too_old(away_s: float) -> None:
    cursor = int((time.time() - away_s) * 1_000_000)
    async with aclosing(jetstream(["ws://127.0.0.1:9"], OURS, QUICK).stream(cursor)) as events:
        with pytest.raises(CursorTooOld):
            await anext(events)


async def test_subscribe_repos_commits_of_others_carry_the_cursor(
    network: Network, outside: httpx.AsyncClient, pds_socket: str
) -> None:
    person = Person(network, outside)
    source = subscribe_repos(pds_socket, OURS, QUICK)
    async with aclosing(source.stream(None)) as events:
        coming = asyncio.ensure_future(anext(events))
        await asyncio.wait_for(source.connected.wait(), 10)
        await asyncio.sleep(0.2)
        await person.put("elsewhere", "not ours", FOREIGN)
        one = await asyncio.wait_for(coming, 10)
        while not (isinstance(one.event, Commit) and one.event.did == person.did):
            one = await asyncio.wait_for(anext(events), 10)
    assert one.event.ops == ()
    await person.put("end", "ours")
    told = await take(source, one.cursor, until="end", did=person.did)
    assert [op.rkey for _, op in ops(told)] == ["end"]


async def test_jetstream_first_host_dies_the_second_goes_on_without_loss(
    network: Network, outside: httpx.AsyncClient, pds_socket: str, start_bridge: StartBridge
) -> None:
    person = Person(network, outside)
    ahead = Bridge(pds_socket, skew_us=1_500_000)
    second = await start_bridge(Bridge(pds_socket))
    listening: asyncio.Task[list[StreamEvent]]
    async with ahead.serving(free_ports(1)[0]) as first:
        source = jetstream([first, second], OURS, QUICK)
        listening = asyncio.create_task(take(source, hour_ago(), until="end", did=person.did))
        await person.put("a", "by the first host")
        await _until(lambda: any("by the first host" in told.text for told in ahead.history))
        await asyncio.sleep(0.3)
        assert source.host == first
    await person.put("b", "while nobody listens")
    await person.put("end", "by the second host")
    told = await asyncio.wait_for(listening, 20)
    assert source.host == second
    # clocks differ, so the new host repeats some seconds
    assert list(dict.fromkeys(op.rkey for _, op in ops(told))) == ["a", "b", "end"]


async def test_jetstream_host_that_withholds_tells_of_everything_else(
    network: Network, outside: httpx.AsyncClient, pds_socket: str, start_bridge: StartBridge
) -> None:
    person = Person(network, outside)
    host = await start_bridge(Bridge(pds_socket, withheld={LIKE}))
    await _write_history(person)
    told = await take(jetstream([host], OURS, QUICK), hour_ago(), until="end", did=person.did)
    assert "like" not in {op.rkey for _, op in ops(told)}
    assert len(ops(told)) == 8


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.02)
