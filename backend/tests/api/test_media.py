"""audio and covers as bytes, from a folder and from S3 alike."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from plyr.tracks.models import TrackSource
from tests.fixtures.media import AudioFile, ImageFile
from tests.fixtures.uploads import OpenStudio, Studio
from tests.uploads.test_jobs import deliver


@dataclass(frozen=True)
class Published:
    """a track that strangers may hear."""

    studio: Studio
    file_id: str
    image_id: str
    data: bytes


@pytest.fixture
async def published(
    open_studio: OpenStudio, storage_url: str, audio_file: AudioFile, image_file: ImageFile
) -> Published:
    """a track over a folder and over S3 in turn."""
    studio = await open_studio(storage_url=storage_url)
    data = audio_file("wav", seconds=20).read_bytes()
    upload_id = await studio.begin(len(data))
    await studio.client.put(f"/uploads/{upload_id}/cover", content=image_file("jpg").read_bytes())
    await studio.patch(upload_id, 0, data)
    await studio.client.post(f"/uploads/{upload_id}/publish", json={"title": "x"})
    await studio.work(upload_id)
    await deliver(studio, upload_id)
    async with studio.db.begin() as session:
        track = (await session.execute(select(TrackSource))).scalar_one()
    assert track.image_id is not None
    assert track.file_id is not None
    return Published(studio, track.file_id, track.image_id, data)


async def test_audio_whole_and_in_parts(published: Published) -> None:
    client, path, data = published.studio.client, f"/audio/{published.file_id}", published.data
    whole = await client.get(path)
    assert whole.content == data
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["accept-ranges"] == "bytes"
    assert "immutable" in whole.headers["cache-control"]
    etag = whole.headers["etag"]
    assert etag.startswith('"')
    for asked, start, end in (("0-99", 0, 100), ("1000000-", 1_000_000, None), ("-500", -500, None)):
        part = await client.get(path, headers={"range": f"bytes={asked}"})
        assert part.status_code == 206
        assert part.content == data[start:end]
        first = start if start >= 0 else len(data) + start
        assert part.headers["content-range"] == f"bytes {first}-{first + len(part.content) - 1}/{len(data)}"
    head = await client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(data)))
    assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304
    beyond = await client.get(path, headers={"range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")


async def test_cover_in_every_size(published: Published) -> None:
    for size in (96, 320, 640, 1200):
        answer = await published.studio.client.get(f"/images/{published.image_id}/{size}.webp")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.content[8:12] == b"WEBP"
        again = {"if-none-match": answer.headers["etag"]}
        assert (
            await published.studio.client.get(f"/images/{published.image_id}/{size}.webp", headers=again)
        ).status_code == 304
    assert (await published.studio.client.get(f"/images/{published.image_id}/100.webp")).status_code == 404


async def test_object_that_is_gone_is_404_not_a_broken_answer(published: Published) -> None:
    await published.studio.resources.storage.delete(f"audio/{published.file_id}")
    assert (await published.studio.client.get(f"/audio/{published.file_id}")).status_code == 404


@pytest.mark.parametrize("file_id", ["x", "../secret", "%2e%2e%2fsecret", "0" * 32, "0" * 31 + "A", "a" * 300])
async def test_file_nobody_has_is_404(studio: Studio, file_id: str) -> None:
    assert (await studio.client.get(f"/audio/{file_id}")).status_code == 404
    assert (await studio.client.get(f"/images/{file_id}/96.webp")).status_code == 404


async def test_audio_with_a_cdn_is_found_there(open_studio: OpenStudio, audio_file: AudioFile) -> None:
    studio = await open_studio(media_base_url="https://cdn.test/")
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    await studio.work(upload_id)
    await deliver(studio, upload_id)
    async with studio.db.begin() as session:
        file_id = await session.scalar(select(TrackSource.file_id))
    answer = await studio.client.get(f"/audio/{file_id}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"https://cdn.test/audio/{file_id}")
