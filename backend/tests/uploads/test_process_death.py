"""processes that die: the worker at the door of each phase, the api in the middle of a file. everything is real."""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.network import Account, Network
from devstack.sign_in import sign_in
from tests.fixtures.media import AudioFile
from tests.fixtures.services import Service
from tests.fixtures.uploads import BYTES, TUS

Start = Callable[[Mapping[str, str]], Service]

# a worker that comes to a phase falls asleep there, inside its transaction, until it is killed
_STOP_AT = """
create or replace function stop_here() returns trigger language plpgsql as $$
begin
  if new.phase = '{phase}' and old.phase <> '{phase}' then perform pg_sleep(60); end if;
  return new;
end $$;
create or replace trigger stop_here before update on jobs for each row execute function stop_here()
"""
_GO_ON = """
select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep';
drop trigger if exists stop_here on jobs;
drop function if exists stop_here()
"""


@dataclass
class Desk:
    """an artist at a real api, their PDS, and the database behind it."""

    http: httpx.AsyncClient
    sql: "asyncpg.Connection[asyncpg.Record]"
    did: str

    async def begin(self, size: int) -> str:
        """open an upload."""
        name = base64.b64encode(b"song.flac").decode()
        headers = TUS | {"upload-length": str(size), "upload-metadata": f"filename {name}"}
        answer = await self.http.post("/uploads/", headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def patch(self, upload_id: str, offset: int, content: Any) -> httpx.Response:
        """append bytes."""
        headers = BYTES | {"upload-offset": str(offset)}
        return await self.http.patch(f"/uploads/{upload_id}", headers=headers, content=content)

    async def upload(self, data: bytes) -> str:
        """send a whole file and its title."""
        upload_id = await self.begin(len(data))
        assert (await self.patch(upload_id, 0, data)).status_code == 204
        await self.http.post(f"/uploads/{upload_id}/publish", json={"title": "night bus"})
        return upload_id

    async def ended(self, upload_id: str) -> dict[str, Any]:
        """wait for an upload's end."""
        async with asyncio.timeout(40):
            while True:
                status: dict[str, Any] = (await self.http.get(f"/uploads/{upload_id}/status")).json()
                if status["status"] in ("completed", "failed"):
                    return status
                await asyncio.sleep(0.1)

    async def asleep(self) -> None:
        """wait until a worker stands at the phase it is to die in."""
        async with asyncio.timeout(20):
            while not await self.sql.fetchval("select count(*) from pg_stat_activity where wait_event = 'PgSleep'"):
                await asyncio.sleep(0.02)


@pytest.fixture
def env(backend_env: dict[str, str]) -> dict[str, str]:
    """settings with which a dead worker's job is taken over quickly."""
    return backend_env | {"JOB_LEASE_S": "1.5"}


@pytest.fixture
async def desk(env: dict[str, str], start_api: Start, new_account: Callable[[], Account]) -> AsyncIterator[Desk]:
    """an artist who signed in through their real PDS."""
    api = start_api(env)
    sql = await asyncpg.connect(env["DATABASE_URL"])
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as http:
        who = await sign_in(http, new_account().handle)
        http.headers.update(who.authorization)
        assert (await http.post("/artists/", json={"display_name": "Alice"})).status_code == 201
        yield Desk(http, sql, who.did)
    await sql.execute(_GO_ON)
    await sql.close()


@pytest.mark.parametrize("phase", ["assembling", "checking", "cover", "publishing", "live"])
async def test_worker_killed_at_a_phase_the_next_one_ends_with_exactly_one_track(
    desk: Desk, env: dict[str, str], start_worker: Start, network: Network, audio_file: AudioFile, phase: str
) -> None:
    data = audio_file("flac", seconds=2).read_bytes()
    first = start_worker(env)
    if phase != "assembling":
        await desk.sql.execute(_STOP_AT.format(phase=phase))
        upload_id = await desk.upload(data)
    else:
        # the api itself names this phase; the worker dies writing that it is there again
        upload_id = await desk.begin(len(data))
        await desk.http.post(f"/uploads/{upload_id}/publish", json={"title": "night bus"})
        await desk.sql.execute(
            _STOP_AT.format(phase=phase).replace("old.phase <> 'assembling'", "new.status = 'processing'")
        )
        assert (await desk.patch(upload_id, 0, data)).status_code == 204
    await desk.asleep()
    first.kill()
    await desk.sql.execute(_GO_ON)
    start_worker(env)
    status = await desk.ended(upload_id)
    assert (status["status"], status["phase"], status["server_progress_pct"]) == ("completed", "live", 100), status
    assert await desk.sql.fetchval("select count(*) from tracks") == 1
    assert await desk.sql.fetchval("select count(*) from track_sources") == 1
    assert len(network.records(desk.did, "fm.plyr.dev.track")) == 1
    track = (await desk.http.get(f"/tracks/{status['track_id']}")).json()
    ranged = await desk.http.get(f"/audio/{track['file_id']}", headers={"range": "bytes=100-199"})
    assert (ranged.status_code, ranged.content) == (206, data[100:200])
    loose = "select count(*) from media_objects where owner_kind = 'upload' and delete_after is null"
    assert await desk.sql.fetchval(loose) == 0


async def test_api_killed_in_the_middle_of_a_file_the_next_one_goes_on_from_what_is_durable(
    desk: Desk, env: dict[str, str], start_api: Start, start_worker: Start
) -> None:
    data = random.Random(1).randbytes(50_000_000)
    victim = start_api(env)
    async with httpx.AsyncClient(base_url=victim.url, headers=desk.http.headers, timeout=60) as http:
        doomed = Desk(http, desk.sql, desk.did)
        upload_id = await doomed.begin(len(data))

        async def source() -> AsyncIterator[bytes]:
            for at in range(0, 45_000_000, 100_000):
                yield data[at : at + 100_000]
            await asyncio.sleep(0.5)
            victim.kill()

        with pytest.raises(httpx.TransportError):
            await doomed.patch(upload_id, 0, source())
    head = await desk.http.head(f"/uploads/{upload_id}", headers=TUS)
    offset = int(head.headers["upload-offset"])
    assert 32 * 1024 * 1024 <= offset <= 45_000_000
    async with asyncio.timeout(40):
        # the dead sender's right to append ends by itself
        while (answer := await desk.patch(upload_id, offset, data[offset:])).status_code == 423:
            await asyncio.sleep(0.5)
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(len(data)))
    keys = await desk.sql.fetch("select number, offset_bytes, size_bytes from upload_chunks order by offset_bytes")
    folder = env["STORAGE_URL"].removeprefix("file://")
    kept = b"".join(
        (Path(folder) / "uploads" / upload_id.replace("-", "") / str(row["number"])).read_bytes() for row in keys
    )
    assert kept == data


async def test_connection_dropped_at_random_bytes_and_resumed_is_the_same_file(
    desk: Desk, env: dict[str, str], start_worker: Start, audio_file: AudioFile
) -> None:
    data = audio_file("wav", seconds=30).read_bytes()
    chance = random.Random(7)
    upload_id = await desk.begin(len(data))
    await desk.http.post(f"/uploads/{upload_id}/publish", json={"title": "stubborn"})
    for _ in range(4):
        offset = int((await desk.http.head(f"/uploads/{upload_id}", headers=TUS)).headers["upload-offset"])
        await _drop(desk, upload_id, offset, data[offset : offset + chance.randint(1, 1_500_000)])
    async with asyncio.timeout(30):
        while True:
            offset = int((await desk.http.head(f"/uploads/{upload_id}", headers=TUS)).headers["upload-offset"])
            answer = await desk.patch(upload_id, offset, data[offset:])
            if answer.status_code == 204:
                break
            assert answer.status_code in (409, 423)
            await asyncio.sleep(0.2)
    start_worker(env)
    status = await desk.ended(upload_id)
    assert status["status"] == "completed", status
    track = (await desk.http.get(f"/tracks/{status['track_id']}")).json()
    assert (await desk.http.get(f"/audio/{track['file_id']}")).content == data


async def _drop(desk: Desk, upload_id: str, offset: int, part: bytes) -> None:
    """send a part of what a request announces, then break the connection."""
    url = desk.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    announced = len(part) + 1_000_000
    head = (
        f"PATCH /uploads/{upload_id} HTTP/1.1\r\nhost: {url.host}\r\n"
        f"authorization: {desk.http.headers['authorization']}\r\n"
        f"tus-resumable: 1.0.0\r\ncontent-type: application/offset+octet-stream\r\nupload-offset: {offset}\r\n"
        f"content-length: {announced}\r\n\r\n"
    )
    writer.write(head.encode() + part)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    await asyncio.sleep(0.2)


async def test_progress_stream_ends_with_the_final_state_also_after_coming_back(
    desk: Desk, env: dict[str, str], start_worker: Start, audio_file: AudioFile
) -> None:
    data = audio_file("flac", seconds=1).read_bytes()
    upload_id = await desk.begin(len(data))
    path = f"/tracks/uploads/{upload_id}/progress"
    watching = asyncio.create_task(_events(desk, path))
    await desk.patch(upload_id, 0, data)
    await desk.http.post(f"/uploads/{upload_id}/publish", json={"title": "watched"})
    start_worker(env)
    events = await asyncio.wait_for(watching, 40)
    assert events[-1]["status"] == "completed"
    assert events[-1]["phase"] == "live"
    assert events[0]["phase"] == "receiving"
    shares = [event["server_progress_pct"] for event in events]
    assert shares == sorted(shares)
    last = events[-1]["id"]
    for seen in (last, "0", "999999", "nonsense"):
        again = await asyncio.wait_for(_events(desk, path, seen), 10)
        assert again[-1]["status"] == "completed"
    assert events[-1]["track_id"]


async def _events(desk: Desk, path: str, last_event_id: str | None = None) -> list[dict[str, Any]]:
    found, headers = [], {"last-event-id": last_event_id} if last_event_id else {}
    async with desk.http.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event_id = ""
        async for line in answer.aiter_lines():
            if line.startswith("id:"):
                event_id = line[3:].strip()
            elif line.startswith("data:"):
                found.append(json.loads(line[5:]) | {"id": event_id})
    return found
