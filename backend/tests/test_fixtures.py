"""the fixtures themselves: what others lean on must hold."""

from collections.abc import Callable

import asyncpg
import av
import httpx
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from devstack.faults import FaultProxy, answer, drop_answer, new_nonce, reset, too_many_requests
from devstack.network import Account, Network
from tests.fixtures.media import AudioFile, ImageFile

COLLECTION = "fm.plyr.dev.track"


@pytest.mark.parametrize("_again", [1, 2])
async def test_database_url_given_again_is_empty_again(database_url: str, _again: int) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("create table if not exists scratch (id int)")
        assert await connection.fetchval("select count(*) from scratch") == 0
        await connection.execute("insert into scratch values (1)")
    finally:
        await connection.close()


@pytest.mark.parametrize("_again", [1, 2])
async def test_db_session_commits_nothing_for_good(db_session: AsyncSession, _again: int) -> None:
    await db_session.execute(text("create table fleeting (id int)"))
    await db_session.commit()


def test_new_account_writes_a_record_read_back(network: Network, new_account: Callable[[], Account]) -> None:
    account = new_account()
    _put(network, account)
    assert [one["value"]["title"] for one in network.records(account.did, COLLECTION)] == ["x"]


@pytest.mark.parametrize("extension", ["flac", "mp3", "m4a", "wav", "aiff", "opus"])
def test_audio_file_decodes_to_its_length(audio_file: AudioFile, extension: str) -> None:
    with av.open(str(audio_file(extension, seconds=1.5))) as container:
        frames = list(container.decode(audio=0))
    seconds = sum(frame.samples for frame in frames) / frames[0].sample_rate
    assert seconds == pytest.approx(1.5, abs=0.06)


def test_image_file_has_its_size(image_file: ImageFile) -> None:
    with Image.open(image_file("jpg", 320, 200)) as image:
        assert image.size == (320, 200)


def test_faults_answer_passes_nothing_on_then_behaves(faulty_network: Network, faults: FaultProxy) -> None:
    account = faulty_network.new_account()
    faults.on("putRecord", answer(500))
    faults.on("putRecord", too_many_requests(7))
    assert _try_put(faulty_network, account).status_code == 500
    assert _try_put(faulty_network, account).headers["retry-after"] == "7"
    assert faulty_network.records(account.did, COLLECTION) == []
    assert _try_put(faulty_network, account).status_code == 200
    assert faults.count("putRecord") == 3


def test_faults_drop_answer_leaves_the_work_done(faulty_network: Network, faults: FaultProxy) -> None:
    account = faulty_network.new_account()
    faults.on("putRecord", reset())
    faults.on("putRecord", drop_answer())
    with pytest.raises(httpx.TransportError):
        _put(faulty_network, account)
    assert faulty_network.records(account.did, COLLECTION) == []
    with pytest.raises(httpx.TransportError):
        _put(faulty_network, account)
    assert len(faulty_network.records(account.did, COLLECTION)) == 1


def test_faults_new_nonce_is_one_the_server_takes(faulty_network: Network, faults: FaultProxy) -> None:
    first = httpx.post(f"{faulty_network.pds_url}/oauth/par", data={"client_id": "http://localhost"})
    faults.on("/oauth/par", new_nonce())
    second = httpx.post(f"{faulty_network.pds_url}/oauth/par", data={"client_id": "http://localhost"})
    assert second.json()["error"] == "use_dpop_nonce"
    assert second.headers["dpop-nonce"] == first.headers["dpop-nonce"]


def test_faults_large_body_passes_whole(faulty_network: Network, faults: FaultProxy, audio_file: AudioFile) -> None:
    account = faulty_network.new_account()
    content = audio_file("wav", seconds=10).read_bytes()
    headers = account.authorization | {"content-type": "audio/wav"}
    url = f"{faulty_network.pds_url}/xrpc/com.atproto.repo.uploadBlob"
    chunked = httpx.post(url, content=iter([content[:70_000], content[70_000:]]), headers=headers)
    assert chunked.json()["blob"]["size"] == len(content)


def _try_put(network: Network, account: Account) -> httpx.Response:
    record = {"$type": COLLECTION, "title": "x"}
    body = {"repo": account.did, "collection": COLLECTION, "rkey": "one", "record": record}
    return httpx.post(f"{network.pds_url}/xrpc/com.atproto.repo.putRecord", json=body, headers=account.authorization)


def _put(network: Network, account: Account) -> None:
    _try_put(network, account).raise_for_status()
