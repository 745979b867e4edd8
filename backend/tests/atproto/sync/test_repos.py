"""reading repos from their own host: the real PDS, and hosts that lie."""

import hashlib
import io
import wave
from pathlib import Path

import httpx
import orjson
import pytest

from devstack.network import Network
from plyr.atproto.errors import AnswerUnusable
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.sync.dag_cbor import cid_text
from plyr.atproto.sync.errors import DataInvalid, HostBusy, HostRefused, RepoUnavailable
from plyr.atproto.sync.repos import (
    fetch_repo,
    get_record,
    latest_commit,
    repo_status,
    repos_by_collection,
    stream_blob,
)
from plyr.kit.ids import Cid, Did, RecordKey
from tests.atproto.servers import web_server
from tests.atproto.sync.building import DID, cid_of, repo_car
from tests.atproto.sync.people import LIKE, NOTE, Person
from tests.fixtures.network import StartNetwork

ME = Did(DID)
NOBODY = Did("did:plc:" + "a" * 24)


async def test_fetch_repo_of_300_records_equals_what_the_host_lists(
    network: Network, outside: httpx.AsyncClient, guarded: GuardedClient
) -> None:
    person = Person(network, outside)
    await person.write_many(300)
    await person.put("one", "a like", LIKE)
    async with fetch_repo(guarded, network.pds_url, Did(person.did)) as repo:
        notes = {one.rkey: (one.cid, one.record) for one in repo.records([NOTE])}
        everything = list(repo.records())
        latest = await latest_commit(guarded, network.pds_url, Did(person.did))
        assert (repo.commit_cid, repo.rev) == (latest.cid, latest.rev)
    assert len(notes) == 300
    assert notes == await person.listed()
    assert len(everything) == 301


async def test_fetch_repo_too_large_is_not_taken(
    network: Network, outside: httpx.AsyncClient, guarded: GuardedClient
) -> None:
    person = Person(network, outside)
    await person.write_many(50)
    with pytest.raises(AnswerUnusable, match="more than 2000 bytes"):
        async with fetch_repo(guarded, network.pds_url, Did(person.did), max_bytes=2000):
            pass


async def test_get_record_gives_it_or_none(
    network: Network, outside: httpx.AsyncClient, guarded: GuardedClient
) -> None:
    person = Person(network, outside)
    await person.put("a", "hello")
    found = await get_record(guarded, network.pds_url, Did(person.did), NOTE, RecordKey("a"))
    assert found == (await person.listed())["a"]
    assert await get_record(guarded, network.pds_url, Did(person.did), NOTE, RecordKey("b")) is None


async def test_repo_that_is_closed_says_why(
    start_network: StartNetwork, outside: httpx.AsyncClient, guarded: GuardedClient, tmp_path: Path
) -> None:
    network = start_network()
    person = Person(network, outside, tmp_path / f"network-{network.pds_url.rsplit(':', 1)[1]}")
    did = Did(person.did)
    assert (await repo_status(guarded, network.pds_url, did)).active
    await person.deactivate()
    assert await _why_closed(guarded, network, did) == "deactivated"
    status = await repo_status(guarded, network.pds_url, did)
    assert (status.active, status.status) == (False, "deactivated")
    await person.activate()
    await person.take_down()
    assert await _why_closed(guarded, network, did) == "takendown"
    await person.vanish()
    assert await _why_closed(guarded, network, did) == "not_found"
    with pytest.raises(RepoUnavailable):
        await repo_status(guarded, network.pds_url, did)


async def _why_closed(http: GuardedClient, network: Network, did: Did) -> str:
    with pytest.raises(RepoUnavailable) as latest:
        await latest_commit(http, network.pds_url, did)
    with pytest.raises(RepoUnavailable) as whole:
        async with fetch_repo(http, network.pds_url, did):
            pass
    assert latest.value.reason == whole.value.reason
    return latest.value.reason


def _silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(44100)
        sound.writeframes(b"\x00\x00" * 44100 * seconds)
    return file.getvalue()


async def test_stream_blob_gives_the_bytes_in_parts(
    network: Network, outside: httpx.AsyncClient, guarded: GuardedClient
) -> None:
    person = Person(network, outside)
    sound = _silence(20)
    blob = await person.upload(sound, "audio/wav")
    await person.write(
        {
            "$type": "com.atproto.repo.applyWrites#create",
            "collection": NOTE,
            "rkey": "song",
            "value": {"$type": NOTE, "audio": blob},
        }
    )
    cid = Cid(blob["ref"]["$link"])
    parts = [part async for part in stream_blob(guarded, network.pds_url, Did(person.did), cid, max_bytes=len(sound))]
    assert len(parts) > 1
    assert b"".join(parts) == sound
    with pytest.raises(AnswerUnusable):
        async for _part in stream_blob(guarded, network.pds_url, Did(person.did), cid, max_bytes=len(sound) - 1):
            pass
    unknown = cid_text(b"\x01\x55\x12\x20" + hashlib.sha256(b"unknown").digest())
    with pytest.raises(HostRefused):
        async for _part in stream_blob(guarded, network.pds_url, Did(person.did), unknown, max_bytes=1000):
            pass


async def test_hosts_that_lie_are_not_believed(guarded: GuardedClient) -> None:
    async with web_server() as web:
        host = f"127.0.0.1:{web.port}"
        cid = cid_text(cid_of(b"the song", 0x55))
        web.page(host, f"/xrpc/com.atproto.sync.getBlob?did=did%3Aplc%3A{DID[8:]}&cid={cid}", b"another song")
        web.page(host, f"/xrpc/com.atproto.sync.getRepo?did=did%3Aplc%3A{NOBODY[8:]}", repo_car({}))
        web.page(host, f"/xrpc/com.atproto.sync.getRepo?did=did%3Aplc%3A{DID[8:]}", repo_car({})[:-3])
        web.page(host, f"/xrpc/com.atproto.sync.getLatestCommit?did=did%3Aplc%3A{DID[8:]}", '{"cid": 7, "rev": "z"}')
        with pytest.raises(DataInvalid):
            async for _part in stream_blob(guarded, f"http://{host}", ME, cid, max_bytes=1000):
                pass
        for did in (ME, NOBODY):
            with pytest.raises(DataInvalid):
                async with fetch_repo(guarded, f"http://{host}", did):
                    pass
        with pytest.raises(AnswerUnusable):
            await latest_commit(guarded, f"http://{host}", ME)


async def test_host_that_is_busy_says_how_long(guarded: GuardedClient) -> None:
    async with web_server() as web:
        path = f"/xrpc/com.atproto.sync.getRepo?did=did%3Aplc%3A{DID[8:]}"
        web.page(f"127.0.0.1:{web.port}", path, "{}", status=429, **{"retry-after": "77"})
        with pytest.raises(HostBusy) as busy:
            async with fetch_repo(guarded, f"http://127.0.0.1:{web.port}", ME):
                pass
    assert busy.value.retry_after_s == 77


async def test_repos_by_collection_pages_to_the_end(guarded: GuardedClient) -> None:
    others = [f"did:plc:{letter * 24}" for letter in "bcd"]
    async with web_server() as web:
        host = f"127.0.0.1:{web.port}"
        asked = f"/xrpc/com.atproto.sync.listReposByCollection?collection={NOTE}&limit=500"
        page = {"cursor": "2", "repos": [{"did": others[0]}, {"did": "nonsense"}, 7, {"did": others[1]}]}
        web.page(host, asked, orjson.dumps(page))
        web.page(host, f"{asked}&cursor=2", orjson.dumps({"cursor": "2", "repos": [{"did": others[2]}]}))
        assert [did async for did in repos_by_collection(guarded, f"http://{host}", NOTE)] == others
