"""a whole track in one form, as the published SDK sends it."""

import itertools
import json
from typing import Any

import pytest
from sqlalchemy import select

from plyr.outbox.models import RepoWrite
from plyr.storage.models import MediaObject
from tests.api.test_multipart import TYPE, body
from tests.fixtures.media import AudioFile, ImageFile
from tests.fixtures.uploads import OpenStudio, Studio


async def send(studio: Studio, parts: list[tuple[str, str | None, bytes]], **options: Any) -> Any:
    return await studio.client.post("/tracks/", headers={"content-type": TYPE}, content=body(parts, **options))


async def kept(studio: Studio) -> list[str]:
    async with studio.db.begin() as session:
        return list(await session.scalars(select(MediaObject.key).where(MediaObject.delete_after.is_(None))))


async def test_form_becomes_a_track_with_words_and_cover_in_any_order(
    studio: Studio, audio_file: AudioFile, image_file: ImageFile
) -> None:
    for seed, order in enumerate(itertools.islice(itertools.permutations(range(4)), 0, 24, 7)):
        parts: list[tuple[str, str | None, bytes]] = [
            ("file", "song.flac", audio_file("flac", seconds=1, seed=seed).read_bytes()),
            ("title", None, f"piece {seed} 🎺".encode()),
            ("tags", None, json.dumps(["a", "b"]).encode()),
            ("image", "x.heic", image_file("jpg").read_bytes()),
        ]
        answer = await send(studio, [parts[n] for n in order])
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] in ("pending", "processing")
        await studio.work(answer.json()["upload_id"])
    async with studio.db.begin() as session:
        records = (await session.execute(select(RepoWrite.record).order_by(RepoWrite.id))).scalars().all()
    assert [(record["title"], record["tags"], "imageUrl" in record) for record in records if record] == [
        (f"piece {seed} 🎺", ["a", "b"], True) for seed in range(4)
    ]


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([("title", None, b"x")], 422, "invalid_input"),
        ([("file", "x.mp3", b"")], 422, "empty_file"),
        ([("file", "x.mp3", b"abc"), ("title", None, b"x" * 300)], 422, "invalid_input"),
        ([("file", "x.mp3", b"abc"), ("title", None, b"x" * 70_000)], 422, "invalid_input"),
        ([("file", "x.mp3", b"abc"), ("tags", None, b"not json")], 422, "invalid_input"),
        ([("file", "x.mp3", b"abc"), ("tags", None, b'[1, {"a": 2}]')], 422, "invalid_input"),
        ([("file", "x.mp3", b"abc"), ("file", "y.mp3", b"abc")], 400, "invalid_multipart"),
        ([("file", "x.mp3", b"abc"), ("image", "x.png", b"no picture")], 422, "image_invalid"),
        ([("file", "x.mp3", b"abc" * 400_000)], 413, "too_large"),
        ([("file", "x.mp3", b"abc"), ("image", "x.png", b"x" * 1_000_001)], 422, "image_invalid"),
    ],
)  # fmt: skip
async def test_form_that_is_no_good_is_refused_and_nothing_is_kept(
    open_studio: OpenStudio, parts: list[tuple[str, str | None, bytes]], status: int, code: str
) -> None:
    studio = await open_studio(upload_max_mb=1, image_max_mb=1)
    answer = await send(studio, parts)
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    assert answer.json()["detail"]
    assert await kept(studio) == []
    assert (await studio.client.get("/uploads/")).json() == {"uploads": []}


async def test_form_cut_off_keeps_nothing(studio: Studio) -> None:
    answer = await send(studio, [("title", None, b"x"), ("file", "x.mp3", b"abc" * 1000)], ends=False)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_multipart")
    assert await kept(studio) == []


async def test_body_that_announces_too_much_is_refused_before_it_is_read(studio: Studio) -> None:
    headers = {"content-type": TYPE, "content-length": "1600000000"}
    answer = await studio.client.post("/tracks/", headers=headers, content=b"x")
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_body_that_is_no_form_is_415(studio: Studio) -> None:
    assert (await studio.client.post("/tracks/", json={"file": "x"})).status_code == 415


async def test_form_without_artist_profile_is_403(studio: Studio) -> None:
    async with studio.db.begin() as session:
        from plyr.artists.models import Artist

        await session.execute(Artist.__table__.update().values(profile_at=None))  # type: ignore[attr-defined]
    for answer in (
        await send(studio, [("file", "x.mp3", b"abc")]),
        await studio.client.post("/uploads/", headers={"tus-resumable": "1.0.0", "upload-length": "3"}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "artist_profile_required")
