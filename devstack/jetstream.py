"""a small jetstream: turns a PDS's subscribeRepos into version 1 of jetstream's JSON, for tests and development.

    PYTHONPATH=backend/src python -m devstack.jetstream --upstream ws://localhost:2583 --port 6008

everything since the PDS's oldest event is kept in memory. as the real ones do, a cursor is inclusive, identity and
account events go to everybody, and a host's clock is its own (`skew_us`). `withheld` collections are kept back from
everybody, without a word: what a broken or hostile host would do.
"""

import argparse
import asyncio
import json
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State

from devstack.ports import HOST
from devstack.processes import die_with_parent
from plyr.atproto.sync.live import ConnectionRefused
from plyr.atproto.sync.reading import read_did, read_rev
from plyr.atproto.sync.subscribe_repos import commit_ops, read_frame, read_records

_MAX_FRAME_BYTES = 6 * 1024 * 1024
_AGAIN_S = 0.1


@dataclass(frozen=True)
class _Told:
    """one message as it is kept: its time, its collection if it has one, and its text."""

    time_us: int
    did: str
    collection: str | None
    text: str


@dataclass(frozen=True)
class _Wishes:
    """what a subscriber asked for."""

    collections: frozenset[str]
    dids: frozenset[str]
    since_us: int

    @classmethod
    def of(cls, path: str) -> "_Wishes":
        """read the query of a subscription; without a cursor it begins now."""
        query = parse_qs(urlsplit(path).query)
        cursor = query.get("cursor", [str(time.time_ns() // 1000)])[0]
        return cls(frozenset(query.get("wantedCollections", ())), frozenset(query.get("wantedDids", ())), int(cursor))

    def want(self, told: _Told) -> bool:
        """say whether a message is for this subscriber."""
        if told.time_us < self.since_us or (self.dids and told.did not in self.dids):
            return False
        return (
            told.collection is None or not self.collections or any(_names(w, told.collection) for w in self.collections)
        )


@dataclass
class Bridge:
    """one jetstream host over one upstream, e.g. `ws://localhost:2583`; `withheld` may change while it runs."""

    upstream: str
    withheld: set[str] = field(default_factory=set)
    skew_us: int = 0
    history: list[_Told] = field(default_factory=list, repr=False)
    _seq: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[str]:
        """listen and follow upstream while the block runs; gives the address for subscribers."""
        async with serve(self._subscriber, HOST, port, compression=None, close_timeout=1):
            following = asyncio.create_task(self._follow())
            try:
                yield f"ws://{HOST}:{port}"
            finally:
                following.cancel()
                with suppress(asyncio.CancelledError):
                    await following

    async def _follow(self) -> None:
        while True:
            address = f"{self.upstream}/xrpc/com.atproto.sync.subscribeRepos?cursor={self._seq}"
            with suppress(OSError, TimeoutError, WebSocketException, ConnectionRefused):
                async with connect(address, max_size=_MAX_FRAME_BYTES, compression=None, proxy=None) as socket:
                    while True:
                        self._take(*read_frame(await socket.recv(decode=False)))
            await asyncio.sleep(_AGAIN_S)

    def _take(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind == "#commit":
            self._take_commit(body)
        elif kind in ("#identity", "#account"):
            self._tell(body, kind.removeprefix("#"), dict(body), read_did(body), None)
        self._seq = max(self._seq, body.get("seq", 0))
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _take_commit(self, body: Mapping[str, Any]) -> None:
        did, rev, ops = read_did(body, "repo"), read_rev(body), commit_ops(body)
        for raw, op in zip(ops, read_records(did, rev, body, ops), strict=True):
            commit: dict[str, Any] = {"rev": rev, "operation": raw["action"], "collection": op.collection}
            commit["rkey"] = op.rkey
            if op.cid is not None:
                commit |= {"record": op.record, "cid": op.cid}
            self._tell(body, "commit", commit, did, op.collection)

    def _tell(self, body: Mapping[str, Any], kind: str, content: dict[str, Any], did: str, about: str | None) -> None:
        latest = self.history[-1].time_us if self.history else 0
        made_us = int(datetime.fromisoformat(body["time"]).timestamp() * 1_000_000) + self.skew_us
        time_us = max(made_us, latest + 1)
        text = json.dumps({"did": did, "time_us": time_us, "kind": kind, kind: content})
        self.history.append(_Told(time_us, did, about, text))

    async def _subscriber(self, socket: ServerConnection) -> None:
        request = socket.request
        if request is None or urlsplit(request.path).path != "/subscribe":
            await socket.close(1008, "subscribe at /subscribe")
            return
        wishes = _Wishes.of(request.path)
        position = bisect_left(self.history, wishes.since_us, key=lambda told: told.time_us)
        with suppress(ConnectionClosed):
            while socket.state is State.OPEN:
                news = self._news
                for told in self.history[position:]:
                    if wishes.want(told) and not any(_names(w, told.collection or "") for w in self.withheld):
                        await socket.send(told.text)
                    position += 1
                await self._wait(news, socket)

    async def _wait(self, news: asyncio.Event, socket: ServerConnection) -> None:
        closed, more = asyncio.create_task(socket.wait_closed()), asyncio.create_task(news.wait())
        try:
            await asyncio.wait((closed, more), return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            more.cancel()


def _names(wanted: str, collection: str) -> bool:
    return collection.startswith(wanted[:-1]) if wanted.endswith("*") else collection == wanted


async def _run(arguments: argparse.Namespace) -> None:
    async with Bridge(arguments.upstream, set(arguments.withhold)).serving(arguments.port) as address:
        print(json.dumps({"event": "ready", "address": address}), flush=True)
        await asyncio.Event().wait()


def main(argv: list[str] | None = None) -> int:
    """run one bridge until it is told to end."""
    parser = argparse.ArgumentParser(prog="devstack.jetstream", description="a small jetstream over one PDS")
    parser.add_argument("--upstream", default="ws://localhost:2583", help="a PDS or relay (default: %(default)s)")
    parser.add_argument("--port", type=int, default=6008, help="where to listen (default: %(default)s)")
    parser.add_argument("--withhold", action="append", default=[], metavar="NSID", help="keep a collection back; a.b.*")
    parser.add_argument("--tied", action="store_true", help="end when the process that started this ends")
    arguments = parser.parse_args(argv)
    if arguments.tied:
        die_with_parent()
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
