"""audio that other clients left on their author's server: copied when it is what the record says, and only then."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from devstack.faults import Exchange, FaultProxy
from devstack.network import Network
from plyr.index.reconcile import reconcile
from plyr.jobs.views import JobView
from plyr.runtime import Resources
from plyr.storage import keys
from plyr.storage.models import MediaObject
from plyr.tracks.models import Track, TrackSource
from tests.fixtures.auth import OpenApi
from tests.index.conftest import NewForeigner
from tests.index.foreign import ForeignClient, run_due_jobs


@pytest.fixture
def song(audio_file: Any) -> bytes:
    """a real flac."""
    path: Path = audio_file("flac", seconds=2)
    return path.read_bytes()


async def _follow(resources: Resources, app: ForeignClient) -> list[JobView]:
    await reconcile(resources, app.did)
    return [job for job in await run_due_jobs(resources) if job.kind == "mirror_audio"]


async def _source(resources: Resources) -> TrackSource:
    async with resources.db.begin() as session:
        return (await session.execute(select(TrackSource))).scalar_one()


async def _shown(resources: Resources) -> list[str]:
    async with resources.db.begin() as session:
        return list((await session.execute(select(Track.title))).scalars())


async def _kept_objects(resources: Resources) -> int:
    async with resources.db.begin() as session:
        query = "select count(*) from media_objects where delete_after is null"
        return int((await session.execute(text(query))).scalar_one())


async def test_mirror_audio_of_another_client_is_copied_whole_and_shows(
    resources: Resources, new_foreigner: NewForeigner, song: bytes
) -> None:
    app = new_foreigner()
    app.track(app.upload(song))
    [job] = await _follow(resources, app)
    assert job.status == "completed"
    source = await _source(resources)
    assert (source.file_type, source.size_bytes) == ("flac", len(song))
    assert source.audio_sha256 == hashlib.sha256(song).hexdigest()
    assert source.file_id is not None
    parts = [part async for part in resources.storage.open_range(keys.audio_key(source.file_id))]  # type: ignore[arg-type]
    assert b"".join(parts) == song
    assert await _shown(resources) == ["elsewhere"]
    async with resources.db.begin() as session:
        assert await session.scalar(text("select public_at is not null from media_objects"))


async def test_mirror_what_is_no_audio_is_refused_with_the_reason(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    app.track(app.upload(b"not a sound, " * 1000))
    [job] = await _follow(resources, app)
    assert (job.status, job.error_code) == ("failed", "not_audio")
    assert await _shown(resources) == []
    assert await _kept_objects(resources) == 0


@pytest.mark.parametrize(("kind", "code"), [("flac", "wrong_bytes"), ("text", "not_audio")])
async def test_mirror_other_bytes_than_the_record_names_are_refused(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy, song: bytes, audio_file: Any, kind: str, code: str
) -> None:
    _, resources = await open_api(faulty_network)
    app = ForeignClient(faulty_network, faulty_network.new_account())
    app.track(app.upload(song))
    other = audio_file("flac", seconds=2, seed=9).read_bytes() if kind == "flac" else b"swapped " * 10_000

    async def swap(exchange: Exchange) -> None:
        await exchange.swallow_body()
        exchange.reply(200, {"content-type": "audio/flac"}, other)

    faults.on("com.atproto.sync.getBlob", swap)
    [job] = await _follow(resources, app)
    assert (job.status, job.error_code) == ("failed", code)
    assert (await _source(resources)).file_id is None
    assert await _kept_objects(resources) == 0


async def test_mirror_larger_than_we_take_is_refused(
    open_api: OpenApi, network: Network, new_foreigner: NewForeigner, audio_file: Any
) -> None:
    _, resources = await open_api(network)
    object.__setattr__(resources, "settings", resources.settings.model_copy(update={"upload_max_mb": 1}))
    app = new_foreigner()
    big: Path = audio_file("wav", seconds=8)
    assert big.stat().st_size > 1_000_000
    app.track(app.upload(big.read_bytes(), "audio/wav"))
    [job] = await _follow(resources, app)
    assert (job.status, job.error_code) == ("failed", "too_large")
    assert await _kept_objects(resources) == 0


async def test_mirror_audio_that_is_only_linked_is_never_fetched_nor_shown(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    app.track(audioUrl="http://127.0.0.1:9/song.flac")
    assert await _follow(resources, app) == []
    assert await _shown(resources) == []
    assert (await _source(resources)).file_id is None


async def test_mirror_record_deleted_meanwhile_leaves_nothing(
    resources: Resources, new_foreigner: NewForeigner, song: bytes
) -> None:
    app = new_foreigner()
    track = app.track(app.upload(song))
    await reconcile(resources, app.did)
    app.delete(track["uri"])
    await reconcile(resources, app.did)
    [job] = [job for job in await run_due_jobs(resources) if job.kind == "mirror_audio"]
    assert job.result == {"superseded": True}
    assert await _shown(resources) == []
    assert await _kept_objects(resources) == 0


async def test_mirror_replaced_audio_takes_the_place_of_the_old_copy(
    resources: Resources, new_foreigner: NewForeigner, song: bytes, audio_file: Any
) -> None:
    app = new_foreigner()
    track = app.track(app.upload(song))
    await _follow(resources, app)
    before = await _source(resources)
    other = audio_file("flac", seconds=1, seed=5).read_bytes()
    record = {"title": "again", "artist": "x", "fileType": "flac", "createdAt": "2026-01-02T03:04:05.000Z"}
    app.put("track", {**record, "audioBlob": app.upload(other)}, track["uri"].rpartition("/")[2])
    await _follow(resources, app)
    after = await _source(resources)
    assert (after.id, after.size_bytes) == (before.id, len(other))
    assert after.file_id != before.file_id
    assert await _shown(resources) == ["again"]
    assert await _kept_objects(resources) == 1


async def test_mirror_again_after_a_kill_leaves_one_object(
    resources: Resources, new_foreigner: NewForeigner, song: bytes
) -> None:
    app = new_foreigner()
    app.track(app.upload(song))
    await reconcile(resources, app.did)
    source = await _source(resources)
    async with resources.db.begin() as session:
        # what an attempt leaves that dies while writing: a claimed key without its bytes
        await session.execute(
            insert(MediaObject).values(
                key=keys.audio_key(keys.new_file_id()), owner_kind="track", owner_id=str(source.id), content_type="x/y"
            )
        )
    await run_due_jobs(resources)
    assert await _shown(resources) == ["elsewhere"]
    assert await _kept_objects(resources) == 1
