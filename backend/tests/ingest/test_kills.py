"""killed twenty times at random while a foreign client writes: nothing is lost, nothing shows twice."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.network import Account, Network
from devstack.paths import BACKEND, BACKEND_SRC
from devstack.sign_in import sign_in
from plyr.kit.tid import new_tid
from tests.fixtures.network import StartNetwork
from tests.fixtures.services import Service
from tests.ingest.feeding import NAMESPACE, SUBJECT_CID

ACCOUNTS = 20
RECORDS = 2000
KILLS = 20
ROUNDS = 12
AT = "2026-01-01T00:00:00.000Z"
COLLECTIONS = [f"{NAMESPACE}.{part}" for part in ("like", "comment", "list", "actor.profile")]
CREATE = "com.atproto.repo.applyWrites#create"
PUBLIC_TABLES = (
    "records", "tracks", "likes", "like_counts", "comments", "comment_counts", "lists", "profiles",
)  # fmt: skip
WRITE_EVERY_S = 0.12
SETTLES_WITHIN_S = 20.0


class Writer:
    """a client that knows nothing of us: creates, changes and deletes records of one account."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account = account
        self._chance = random.Random(seed)
        self._keys = list[tuple[str, str]]()

    def writes(self, creates: int) -> list[dict[str, Any]]:
        """return the next writes: so many creations, and some changes and deletions of what is there."""
        changed = self._chance.sample(self._keys, min(4, len(self._keys)))
        writes = [self._write("update", *which) for which in changed[:2]]
        for collection, rkey in changed[2:]:
            self._keys.remove((collection, rkey))
            writes.append({"$type": CREATE.replace("create", "delete"), "collection": collection, "rkey": rkey})
        for _ in range(creates):
            collection = self._chance.choice(COLLECTIONS[:3])
            self._keys.append((collection, new_tid()))
            writes.append(self._write("create", *self._keys[-1]))
        return writes

    def _write(self, action: str, collection: str, rkey: str) -> dict[str, Any]:
        number = self._chance.randrange(30)
        subject = {"uri": f"at://did:plc:artist/{NAMESPACE}.track/song{number}", "cid": SUBJECT_CID}
        values: dict[str, dict[str, Any]] = {
            "like": {"subject": subject},
            "comment": {"subject": subject, "text": f"words {number}", "timestampMs": number},
            "list": {"name": f"list {number}", "items": [{"subject": subject}]},
        }
        # no two alike: the reference PDS loses a record given the very content another gives up in the same commit
        value = {"$type": collection, "createdAt": AT, "note": new_tid(), **values[collection.rpartition(".")[2]]}
        return {"$type": CREATE.replace("create", action), "collection": collection, "rkey": rkey, "value": value}


async def _write_all(network: Network, accounts: list[Account]) -> None:
    writers = [Writer(account, seed) for seed, account in enumerate(accounts)]
    async with httpx.AsyncClient(base_url=f"{network.pds_url}/xrpc", timeout=60) as http:
        for round_number in range(ROUNDS):
            for writer in writers:
                creates = RECORDS // ACCOUNTS // ROUNDS + (round_number < RECORDS // ACCOUNTS % ROUNDS)
                body = {"repo": writer.account.did, "writes": writer.writes(creates)}
                headers = writer.account.authorization
                answer = await http.post("/com.atproto.repo.applyWrites", json=body, headers=headers)
                assert answer.is_success, answer.text
                await asyncio.sleep(WRITE_EVERY_S)


async def _kill_at_random(first: Service, start: Callable[[], Service]) -> int:
    """keep two processes up, and kill the elder, twenty times; returns how many of them had led."""
    chance, led = random.Random(3), 0
    running = [first, await asyncio.to_thread(start)]
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.9))
        leader, standby = running
        led += "ingest_leads" in leader.output()
        leader.kill()
        running = [standby, await asyncio.to_thread(start)]
    return led


async def _stands(network: Network, accounts: list[Account]) -> dict[str, dict[str, Any]]:
    """return every record of ours as the PDS has it: by address, its cid and value."""
    found = dict[str, dict[str, Any]]()
    async with httpx.AsyncClient(base_url=f"{network.pds_url}/xrpc", timeout=60) as http:
        for account in accounts:
            for collection in COLLECTIONS:
                query: dict[str, Any] = {"repo": account.did, "collection": collection, "limit": 100}
                while True:
                    answer = (await http.get("/com.atproto.repo.listRecords", params=query)).raise_for_status().json()
                    found |= {record["uri"]: record for record in answer["records"]}
                    if not answer.get("cursor"):
                        break
                    query["cursor"] = answer["cursor"]
    return found


async def _indexed(connection: "asyncpg.Connection[Any]", dids: list[str]) -> dict[str, Any]:
    """return what the index holds of some accounts; others of the shared network write too."""
    queries = {
        "records": "select uri, cid from records where deleted_at is null and did = any($1)",
        "likes": "select uri, subject_uri from likes where did = any($1)",
        "comments": "select uri, text from comments where did = any($1)",
        "lists": "select uri, name from lists where did = any($1)",
    }
    counts = {
        "like_counts": "select subject_uri, people from like_counts where subject_uri like 'at://did:plc:artist/%'",
        "comment_counts": "select subject_uri, comments from comment_counts where subject_uri like 'at://did:plc:artist/%'",
    }
    found = {name: dict(map(tuple, await connection.fetch(query, dids))) for name, query in queries.items()}
    return found | {name: dict(map(tuple, await connection.fetch(query))) for name, query in counts.items()}


def _expected(stands: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    likes = {uri: one["value"]["subject"]["uri"] for uri, one in stands.items() if "/fm.plyr.dev.like/" in uri}
    comments = {uri: one["value"] for uri, one in stands.items() if "/fm.plyr.dev.comment/" in uri}
    return {
        "records": {uri: one["cid"] for uri, one in stands.items()},
        "likes": likes,
        "comments": {uri: value["text"] for uri, value in comments.items()},
        "lists": {uri: one["value"]["name"] for uri, one in stands.items() if "/fm.plyr.dev.list/" in uri},
        "like_counts": Counter(subject for _, subject in {(uri.split("/")[2], to) for uri, to in likes.items()}),
        "comment_counts": Counter(value["subject"]["uri"] for value in comments.values()),
    }


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    return [
        f"{table} {which}: {found[table].get(which)} instead of {expected[table].get(which)}"
        for table in expected
        for which in found[table].keys() | expected[table].keys()
        if found[table].get(which) != expected[table].get(which)
    ]


async def _write_through_the_app(api: Service, account: Account) -> None:
    """somebody signs in and changes their profile again and again, through us."""
    async with httpx.AsyncClient(base_url=api.url, timeout=30) as http:
        who = await sign_in(http, account.handle)
        http.cookies.clear()
        http.headers.update(who.authorization)
        made = await http.post("/artists/", json={"display_name": "Alice"})
        assert made.status_code == 201, made.text
        for number in range(ROUNDS):
            changed = await http.put("/artists/me", json={"display_name": "Alice", "bio": f"words {number}"})
            assert changed.status_code == 200, changed.text
            await asyncio.sleep(WRITE_EVERY_S * ACCOUNTS)


def _index_command(env: Mapping[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "plyr", "index", *words],
        cwd=BACKEND,
        env=os.environ | {"PYTHONPATH": str(BACKEND_SRC)} | dict(env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.timeout(300)
async def test_ingest_killed_twenty_times_the_index_is_what_the_pds_holds_and_comes_out_equal_when_made_anew(
    backend_env: dict[str, str],
    start_ingest: Callable[[Mapping[str, str]], Service],
    start_api: Callable[[Mapping[str, str]], Service],
    start_worker: Callable[[Mapping[str, str]], Service],
    start_network: StartNetwork,
) -> None:
    network = start_network()
    env = backend_env | network.backend_settings()
    accounts = [network.new_account() for _ in range(ACCOUNTS)]
    first = start_ingest(env)
    first.wait_for(lambda: httpx.get(f"{first.url}/ready").json().get("connected", False))
    api, _worker = start_api(env), start_worker(env)

    # a cursor exists from here on: without one there is nothing to go on from
    await _write_all(network, accounts[:1])
    writing = asyncio.gather(_write_all(network, accounts[1:]), _write_through_the_app(api, network.new_account()))
    led = await _kill_at_random(first, lambda: start_ingest(env))
    await writing

    last = start_ingest(env)
    connection = await asyncpg.connect(env["DATABASE_URL"])
    dids = await _settled_accounts(connection)
    everybody = accounts + [Account("", did, "", "") for did in dids if did not in {one.did for one in accounts}]
    expected = _expected(await _stands(network, everybody))
    assert len(expected["records"]) > RECORDS / 2
    began = time.monotonic()
    while (found := await _indexed(connection, dids)) != expected and time.monotonic() - began < SETTLES_WITHIN_S:
        await asyncio.sleep(0.2)
    assert _differences(found, expected) == [], last.output()[-2000:]
    assert led >= KILLS // 3

    await asyncio.to_thread(_index_command, env, "check")
    before = await _everything(connection)
    await connection.execute(f"truncate {', '.join(PUBLIC_TABLES)}")
    await asyncio.to_thread(_index_command, env, "rebuild")
    assert await _everything(connection) == before
    await connection.close()


async def _settled_accounts(connection: "asyncpg.Connection[Any]") -> list[str]:
    """return every account the index knows, once the app's own writes are all delivered."""
    async with asyncio.timeout(SETTLES_WITHIN_S):
        while await connection.fetchval("select count(*) from repo_writes"):
            await asyncio.sleep(0.1)
    return [row[0] for row in await connection.fetch("select did from repos")]


async def _everything(connection: "asyncpg.Connection[Any]") -> dict[str, Any]:
    """return all rows of the public tables but the ledger, whose revisions are those of the reading."""
    shown = [table for table in PUBLIC_TABLES if table != "records"]
    return {table: sorted(map(str, await connection.fetch(f"select * from {table}"))) for table in shown}
