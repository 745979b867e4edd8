"""one process leads, another takes over within seconds: real processes, a real network."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import httpx

from devstack.network import Account, Network
from plyr.kit.clock import to_iso, utc_now
from tests.fixtures.services import Service
from tests.ingest.feeding import NAMESPACE, SUBJECT_CID

Start = Callable[[Mapping[str, str]], Service]
TAKEOVER_S = 5.0


def _facts(service: Service) -> dict[str, Any]:
    answer = httpx.get(f"{service.url}/ready", timeout=5)
    return {"status_code": answer.status_code, **answer.json()}


def _until(claim: Callable[[], bool], within_s: float = 10.0) -> float:
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < within_s, "it did not happen in time"
        time.sleep(0.03)
    return time.monotonic() - began


def _leads(service: Service) -> bool:
    facts = _facts(service)
    return facts["role"] == "leader" and facts["connected"] is True


def _like(network: Network, account: Account) -> str:
    collection = f"{NAMESPACE}.like"
    subject = {"uri": f"at://{account.did}/{NAMESPACE}.track/song", "cid": SUBJECT_CID}
    record = {"$type": collection, "subject": subject, "createdAt": to_iso(utc_now())}
    body = {"repo": account.did, "collection": collection, "record": record}
    made = httpx.post(
        f"{network.pds_url}/xrpc/com.atproto.repo.createRecord", json=body, headers=account.authorization, timeout=10
    )
    return str(made.raise_for_status().json()["uri"])


async def _is_liked(database_url: str, uri: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        return bool(await connection.fetchval("select true from likes where uri = $1", uri))
    finally:
        await connection.close()


async def _until_liked(database_url: str, uri: str, within_s: float = 10.0) -> None:
    began = time.monotonic()
    while not await _is_liked(database_url, uri):
        assert time.monotonic() - began < within_s, "the like did not arrive"


async def test_leader_killed_standby_takes_over_within_seconds_and_misses_nothing(
    backend_env: dict[str, str], start_ingest: Start, network: Network, new_account: Callable[[], Account]
) -> None:
    first = start_ingest(backend_env)
    _until(lambda: _leads(first))
    second = start_ingest(backend_env)
    _until(lambda: _facts(second)["role"] == "standby")
    account = new_account()
    await _until_liked(backend_env["DATABASE_URL"], _like(network, account))
    first.kill()
    meanwhile = _like(network, account)
    assert _until(lambda: _leads(second)) < TAKEOVER_S
    await _until_liked(backend_env["DATABASE_URL"], meanwhile)


async def test_leader_that_lost_its_connection_or_froze_makes_way_and_writes_nothing_more(
    backend_env: dict[str, str], start_ingest: Start, network: Network, new_account: Callable[[], Account]
) -> None:
    first = start_ingest(backend_env)
    _until(lambda: _leads(first))
    second, account = start_ingest(backend_env), new_account()
    await _until_liked(backend_env["DATABASE_URL"], _like(network, account))
    os.kill(first.pid, signal.SIGSTOP)
    try:
        await _cut_lock(backend_env["DATABASE_URL"])
        assert _until(lambda: _leads(second)) < TAKEOVER_S
        meanwhile = _like(network, account)
        await _until_liked(backend_env["DATABASE_URL"], meanwhile)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    _until(lambda: _facts(first)["role"] == "standby")
    assert _leads(second)
    await _until_liked(backend_env["DATABASE_URL"], _like(network, account))


async def _cut_lock(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    cut = (
        "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    assert await connection.fetchval(cut) == 1
    await connection.close()


async def test_ready_and_metrics_tell_how_the_process_stands(
    backend_env: dict[str, str], start_ingest: Start, network: Network, new_account: Callable[[], Account]
) -> None:
    service = start_ingest(backend_env)
    _until(lambda: _leads(service))
    await _until_liked(backend_env["DATABASE_URL"], _like(network, new_account()))
    assert _facts(service)["status_code"] == 200
    assert httpx.get(f"{service.url}/health").json() == {"status": "ok"}
    metrics = httpx.get(f"{service.url}/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line and not line.startswith("#"))
    assert float(lines['plyr_ingest_records_total{outcome="news"}']) >= 1
    assert float(lines["plyr_ingest_leader"]) == 1
    assert float(lines["plyr_ingest_lag_seconds"]) < 60
    assert float(lines['plyr_outbox_writes{state="due"}']) == 0
    assert service.stop() in (0, -signal.SIGTERM)


def test_ready_source_away_says_so(backend_env: dict[str, str], start_ingest: Start, free_port: int) -> None:
    service = start_ingest(backend_env)
    _until(lambda: _leads(service))
    service.stop()
    away = {"INGEST_SOURCE": "subscribe_repos", "INGEST_HOSTS": f"ws://127.0.0.1:{free_port}"}
    alone = start_ingest(backend_env | away)
    _until(lambda: _facts(alone)["role"] == "leader")
    facts = _facts(alone)
    assert facts["status_code"] == 503
    assert "not connected" in facts["detail"]
