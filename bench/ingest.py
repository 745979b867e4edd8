"""how fast repo events reach the index: a replay of likes applied, or only read, and the lag of live writes.

`./just bench ingest [--quick] [--json]`; how it is measured stands in bench/README.md.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from cryptography.fernet import Fernet

from bench.replay import HOST
from devstack import network, postgres
from devstack.network import Network
from devstack.paths import BACKEND, BACKEND_SRC, DATA, ROOT
from devstack.ports import free_ports
from devstack.processes import tied_to_parent
from plyr.atproto.sync.jetstream import jetstream
from plyr.kit.clock import to_iso, utc_now
from plyr.kit.ids import Nsid

NAMESPACE = "fm.plyr.dev"
LIKE = Nsid(f"{NAMESPACE}.like")
_CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"


@dataclass(frozen=True)
class Place:
    """where the parts of the benchmark run."""

    folder: Path
    env: dict[str, str]
    database_url: str
    network: Network


def main() -> None:
    """run the benchmark and print its figures, the JSON object last."""
    parser = argparse.ArgumentParser(prog="./just bench ingest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events and writes: within a minute after set-up")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args()
    events, writes, rounds = (30_000, 150, 2) if options.quick else (100_000, 500, 3)
    with _place() as place:
        applied, read = list[float](), list[float]()
        for _ in range(rounds):
            read.append(_read_only(place, events))
            applied.append(_applied(place, events))
            print(f"read {read[-1]:.0f}/s, applied {applied[-1]:.0f}/s", file=sys.stderr)
        lags = _lags_ms(place, writes)
    result = _summary(applied, read, lags, events)
    for name, value in result.items():
        print(f"{name:28} {value}", file=sys.stderr)
    if options.json:
        print(json.dumps(result))


@contextmanager
def _place() -> Iterator[Place]:
    DATA.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=DATA))
    try:
        with ExitStack() as stack:
            server = stack.enter_context(postgres.running(folder / "postgres"))
            atmosphere = stack.enter_context(network.running_on_free_ports(folder / "network"))
            env = os.environ | {
                "PYTHONPATH": str(BACKEND_SRC),
                "DATABASE_URL": server.url(),
                "STORAGE_URL": f"file://{folder / 'storage'}",
                "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
                "WEB_ORIGIN": "http://127.0.0.1:5173",
                **atmosphere.backend_settings(),
            }
            migrate = [sys.executable, "-m", "plyr", "migrate"]
            subprocess.run(migrate, env=env, cwd=BACKEND, check=True, capture_output=True)
            yield Place(folder, env, server.url(), atmosphere)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_only(place: Place, events: int) -> float:
    """return events per second when the same adapter reads the same socket and nothing is done with them."""

    async def read(replay: _Replay) -> float:
        source, began, count = jetstream([replay.host], [LIKE]), time.monotonic(), 0
        async for _ in source.stream(replay.before):
            count += 1
            if count == events:
                break
        return events / (time.monotonic() - began)

    with _replay(place, events) as replay:
        return asyncio.run(read(replay))


def _applied(place: Place, events: int) -> float:
    """return events per second from a process's connecting to its having applied the last; errors if one is lost."""
    with _replay(place, events) as replay:
        asyncio.run(_execute(place, _EMPTY))
        asyncio.run(_execute(place, _BEGIN, jetstream([replay.host], [LIKE]).name, replay.before))
        took = _follow(place, replay, replay.before + events)
    counted = asyncio.run(_counts(place))
    if counted != (events, events, events):
        raise SystemExit(f"lost or doubled: {events} events became {counted} (ledger, likes, counts)")
    return events / took


def _follow(place: Place, replay: "_Replay", last_cursor: int) -> float:
    with _ingest(place, {"INGEST_SOURCE": "jetstream", "INGEST_HOSTS": replay.host}):
        replay.wait_for("connected")
        asyncio.run(_until_cursor(place, last_cursor))
        return time.monotonic() - replay.connected_at


def _lags_ms(place: Place, writes: int) -> list[float]:
    """return the time from the PDS's answer to a write to its being visible in the index, one for each write."""
    account = place.network.new_account()
    asyncio.run(_execute(place, _EMPTY))
    with _ingest(place, {}) as ready:
        ready()
        return asyncio.run(_write_and_watch(place, account.did, account.authorization, writes))


async def _write_and_watch(place: Place, did: str, authorization: dict[str, str], writes: int) -> list[float]:
    lags = list[float]()
    connection = await asyncpg.connect(place.database_url)
    async with httpx.AsyncClient(base_url=f"{place.network.pds_url}/xrpc", headers=authorization, timeout=30) as http:
        for number in range(writes + 10):
            record = {
                "$type": LIKE, "createdAt": to_iso(utc_now()),
                "subject": {"uri": f"at://{did}/{NAMESPACE}.track/subject{number}", "cid": _CID},
            }  # fmt: skip
            body = {"repo": did, "collection": LIKE, "record": record}
            answer = await http.post("/com.atproto.repo.createRecord", json=body)
            acknowledged = time.monotonic()
            uri = answer.raise_for_status().json()["uri"]
            while not await connection.fetchval("select true from likes where uri = $1", uri):
                if time.monotonic() - acknowledged > 30:
                    raise SystemExit(f"{uri} was not visible within half a minute")
                await asyncio.sleep(0.001)
            if number >= 10:  # the first ones open connections and prepare statements
                lags.append((time.monotonic() - acknowledged) * 1000)
    await connection.close()
    return lags


class _Replay:
    """the replay server's process, and what it said."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        self.host = f"ws://{HOST}:{port}"
        self.connected_at = 0.0
        self.before = int(self.wait_for("ready")) - 1
        """the cursor before the first event; each event's is one more than the one before"""

    def wait_for(self, word: str) -> str:
        """return what follows a word the server prints."""
        for line in self._process.stdout or ():
            said, _, rest = line.strip().partition(" ")
            if said == "connected":
                self.connected_at = float(rest)
            if said == word:
                return rest
        raise SystemExit("the replay server ended")


@contextmanager
def _replay(place: Place, events: int) -> Iterator[_Replay]:
    port = free_ports(1)[0]
    argv = [sys.executable, "-m", "bench.replay", "--port", str(port), "--count", str(events), "--namespace", NAMESPACE]
    process = subprocess.Popen(
        argv, env=place.env, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=tied_to_parent()
    )
    try:
        yield _Replay(process, port)
    finally:
        process.kill()
        process.wait()


@contextmanager
def _ingest(place: Place, settings: dict[str, str]) -> Iterator[Callable[[], None]]:
    port, log = free_ports(1)[0], place.folder / "ingest.log"

    def until_ready() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://{HOST}:{port}/ready", timeout=2).json().get("connected"):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"ingest was not ready within a minute:\n{log.read_text()[-2000:]}")

    argv = [sys.executable, "-m", "plyr", "ingest", "--host", HOST, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=place.env | settings, cwd=BACKEND, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, preexec_fn=tied_to_parent(),
        )  # fmt: skip
    try:
        yield until_ready
    finally:
        process.terminate()
        process.wait(20)


_EMPTY = "truncate records, likes, like_counts, repos, ingest_cursors"
_BEGIN = "insert into ingest_cursors (source, cursor, epoch) values ($1, $2, 0)"
_COUNTED = """
select (select count(*) from records), (select count(*) from likes), (select coalesce(sum(people), 0) from like_counts)
"""


async def _execute(place: Place, statement: str, *values: object) -> None:
    connection = await asyncpg.connect(place.database_url)
    await connection.execute(statement, *values)
    await connection.close()


async def _counts(place: Place) -> tuple[int, int, int]:
    connection = await asyncpg.connect(place.database_url)
    [(records, likes, people)] = await connection.fetch(_COUNTED)
    await connection.close()
    return int(records), int(likes), int(people)


async def _until_cursor(place: Place, cursor: int) -> None:
    connection = await asyncpg.connect(place.database_url)
    deadline = time.monotonic() + 300
    while (await connection.fetchval("select max(cursor) from ingest_cursors") or 0) < cursor:
        if time.monotonic() > deadline:
            raise SystemExit("the replay was not applied within five minutes")
        await asyncio.sleep(0.02)
    await connection.close()


def _summary(applied: list[float], read: list[float], lags: list[float], events: int) -> dict[str, Any]:
    steps = statistics.quantiles(lags, n=100)
    return {
        "bench": "ingest",
        "events_per_s": round(statistics.median(applied)),
        "socket_only_events_per_s": round(statistics.median(read)),
        "lag_p50_ms": round(steps[49], 1),
        "lag_p99_ms": round(steps[98], 1),
        "events": events,
        "writes": len(lags),
        "events_per_s_rounds": [round(rate) for rate in applied],
    }


if __name__ == "__main__":
    main()
