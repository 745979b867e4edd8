"""the job of an upload: from bytes to a track on its way, and every way it can end."""

import os
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from plyr.db import Database
from plyr.jobs.models import Job
from plyr.jobs.runner import MAX_ATTEMPTS
from plyr.kit.ids import JobId, TrackId
from plyr.outbox.models import RepoWrite
from plyr.storage import service as storage
from plyr.storage.models import MediaObject
from plyr.tracks.models import TrackSource
from plyr.uploads import service
from plyr.uploads.models import Upload
from plyr.uploads.service import lifecycle, steps
from tests.fixtures.media import AudioFile, ImageFile
from tests.fixtures.uploads import OpenStudio, Studio


async def count(db: Database, model: type[TrackSource] | type[RepoWrite] | type[Upload] | type[Job]) -> int:
    async with db.begin() as session:
        return (await session.scalar(select(func.count()).select_from(model))) or 0


async def owners(db: Database) -> dict[str, str]:
    """whose each kept object is: key → kind of its owner."""
    async with db.begin() as session:
        rows = await session.execute(
            select(MediaObject.key, MediaObject.owner_kind).where(MediaObject.delete_after.is_(None))
        )
        return {row.key: row.owner_kind for row in rows}


async def deliver(studio: Studio, upload_id: str) -> TrackId:
    """do what the index does when the record is on the PDS."""
    async with studio.db.begin() as session:
        found = await session.execute(select(TrackSource.id).where(TrackSource.upload_id == UUID(upload_id)))
        track_id = TrackId(found.scalar_one())
        await service.publication_succeeded(session, JobId(UUID(upload_id)), track_id)
    return track_id


async def test_upload_becomes_one_track_that_owns_its_objects(
    studio: Studio, audio_file: AudioFile, image_file: ImageFile
) -> None:
    data = audio_file("flac", seconds=2).read_bytes()
    upload_id = await studio.begin(len(data), "night bus.flac")
    await studio.client.put(f"/uploads/{upload_id}/cover", content=image_file("jpg").read_bytes())
    await studio.patch(upload_id, 0, data)
    form = {"title": " night  bus ", "album": "lines", "tags": ["ambient", "ambient", " dub "], "description": "a\r\nb"}
    await studio.client.post(f"/uploads/{upload_id}/publish", json=form)
    job = await studio.work(upload_id)
    assert (job.status, job.phase) == ("waiting", "publishing")
    async with studio.db.begin() as session:
        track = (await session.execute(select(TrackSource))).scalar_one()
        record = (await session.execute(select(RepoWrite.record))).scalar_one()
    assert record is not None
    assert [record[name] for name in ("title", "album", "tags", "description")] == [
        "night bus", "lines", ["ambient", "dub"], "a\nb",
    ]  # fmt: skip
    assert (track.file_type, track.duration_ms, track.size_bytes) == ("flac", 2000, len(data))
    kept = await owners(studio.db)
    assert set(kept.values()) == {"track"}
    assert sorted(kept) == sorted(
        [f"audio/{track.file_id}", *(f"images/{track.image_id}/{size}.webp" for size in (96, 320, 640, 1200))]
    )
    assert (await studio.client.get(f"/audio/{track.file_id}")).status_code == 404
    track_id = await deliver(studio, upload_id)
    status = await studio.status(upload_id)
    assert (status["status"], status["phase"], status["track_id"], status["server_progress_pct"]) == (
        "completed", "live", track_id, 100,
    )  # fmt: skip
    assert (await studio.client.get(f"/audio/{track.file_id}")).content == data


@pytest.mark.parametrize(
    ("filename", "tags", "title"),
    [
        ("03 - song.final.flac", {}, "03 - song.final"),
        ("x.flac", {"title": "as tagged"}, "as tagged"),
        ("", {}, "untitled"),
    ],
)
async def test_title_left_out_is_the_files_own(
    studio: Studio, audio_file: AudioFile, filename: str, tags: dict[str, str], title: str
) -> None:
    upload_id = await studio.upload(audio_file("flac", seconds=1, tags=tags).read_bytes(), filename)
    await studio.work(upload_id)
    async with studio.db.begin() as session:
        record = await session.scalar(select(RepoWrite.record))
    assert record is not None
    assert record["title"] == title


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda file: b"\xff\xd8\xff\xe0" + os.urandom(9000), "not_audio"),
        (lambda file: file("flac", seconds=20).read_bytes()[:200_000], "truncated"),
        (lambda file: file("m4a", seconds=2).read_bytes()[:-500], "truncated"),
        (lambda file: b"\x1aE\xdf\xa3" + os.urandom(9000), "unsupported_format"),
    ],
    ids=["renamed-jpg", "cut-flac", "cut-m4a", "matroska"],
)
async def test_file_that_is_no_good_ends_with_a_reason_and_gives_up_its_bytes(
    studio: Studio, audio_file: AudioFile, make: "object", code: str
) -> None:
    upload_id = await studio.upload(make(audio_file), "song.mp3", title="x")  # type: ignore[operator]
    job = await studio.work(upload_id)
    assert (job.status, job.error_code) == ("failed", code)
    status = await studio.status(upload_id)
    assert (status["status"], status["error_code"], status["can_retry"]) == ("failed", code, False)
    assert len(status["error"]) > 20
    assert await owners(studio.db) == {}
    assert await count(studio.db, TrackSource) == 0
    assert (await studio.client.post(f"/uploads/{upload_id}/retry")).status_code == 409


async def test_own_file_again_is_told_and_not_published_twice(studio: Studio, audio_file: AudioFile) -> None:
    data = audio_file("flac", seconds=1).read_bytes()
    first = await studio.upload(data, title="one")
    await studio.work(first)
    track_id = await deliver(studio, first)
    second = await studio.upload(data, title="two")
    assert (await studio.work(second)).error_code == "duplicate"
    status = await studio.status(second)
    assert status["track_id"] == track_id
    assert "already" in status["error"]
    assert await count(studio.db, TrackSource) == 1
    assert set((await owners(studio.db)).values()) == {"track"}


async def test_same_bytes_of_two_artists_are_independent(open_studio: OpenStudio, audio_file: AudioFile) -> None:
    data = audio_file("flac", seconds=1).read_bytes()
    tracks, studios = [], [await open_studio(name) for name in ("alice", "bob")]
    for studio in studios:
        upload_id = await studio.upload(data, title="ours")
        await studio.work(upload_id)
        tracks.append(await deliver(studio, upload_id))
    studio = studios[0]
    async with studio.db.begin() as session:
        await storage.release(session, storage.Owner("track", str(tracks[0])), reason="track deleted")
        await session.execute(
            update(MediaObject).values(delete_after=func.now()).where(MediaObject.owner_id == str(tracks[0]))
        )
        files = {row.id: row.file_id for row in await session.execute(select(TrackSource.id, TrackSource.file_id))}
    await storage.purge_due(studio.db, studio.resources.storage)
    assert (await studio.client.get(f"/audio/{files[tracks[0]]}")).status_code == 404
    assert (await studio.client.get(f"/audio/{files[tracks[1]]}")).content == data


@pytest.mark.parametrize("step", ["assemble", "check", "look_at_cover", "publish"])
async def test_job_run_again_after_any_step_ends_with_one_track(
    studio: Studio, audio_file: AudioFile, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """the process dies right after a step has done its work: the second run finishes, once."""
    from plyr.uploads.jobs import _Work

    whole = getattr(_Work, step)

    async def dies(self: _Work) -> bool:
        await whole(self)
        raise RuntimeError("killed here")

    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    monkeypatch.setattr(_Work, step, dies)
    await studio.work(upload_id)
    monkeypatch.setattr(_Work, step, whole)
    async with studio.db.begin() as session:
        await session.execute(update(Job).values(run_after=func.now()))
    assert (await studio.work(upload_id)).phase == "publishing"
    assert (await count(studio.db, TrackSource), await count(studio.db, RepoWrite)) == (1, 1)
    assert set((await owners(studio.db)).values()) == {"track"}


async def test_killed_between_joining_and_noting_it_goes_on_with_the_whole_file(
    studio: Studio, audio_file: AudioFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_args: object) -> bool:
        raise RuntimeError("killed here")

    data = audio_file("mp3", seconds=1).read_bytes()
    upload_id = await studio.upload(data, title="x")
    saved = steps.save_assembled
    monkeypatch.setattr(steps, "save_assembled", killed)
    await studio.work(upload_id)
    monkeypatch.setattr(steps, "save_assembled", saved)
    async with studio.db.begin() as session:
        await session.execute(update(Job).values(run_after=func.now()))
    assert (await studio.work(upload_id)).phase == "publishing"
    await deliver(studio, upload_id)
    async with studio.db.begin() as session:
        file_id = await session.scalar(select(TrackSource.file_id))
    assert (await studio.client.get(f"/audio/{file_id}")).content == data


async def test_storage_failing_ends_with_a_reason_and_retry_goes_on_with_what_was_kept(
    studio: Studio, audio_file: AudioFile, settings: object
) -> None:
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    folder = Path(studio.resources.settings.storage_url.removeprefix("file://"))
    shutil.move(folder / "uploads", folder / "away")
    for attempt in range(1, MAX_ATTEMPTS):
        assert (await studio.work(upload_id)).status == "processing", attempt
        async with studio.db.begin() as session:
            await session.execute(update(Job).values(run_after=func.now(), lease_until=None))
    job = await studio.work(upload_id)
    assert (job.status, job.error_code) == ("failed", "storage_failed")
    assert "kept" in (job.error_detail or "")
    assert await count(studio.db, TrackSource) == 0
    assert (await studio.status(upload_id))["can_retry"]
    shutil.move(folder / "away", folder / "uploads")
    assert (await studio.client.post(f"/uploads/{upload_id}/retry")).status_code == 202
    assert (await studio.work(upload_id)).phase == "publishing"
    assert await count(studio.db, TrackSource) == 1


async def test_refused_publication_takes_its_audio_back_and_can_be_retried(
    studio: Studio, audio_file: AudioFile, image_file: ImageFile
) -> None:
    data = audio_file("mp3", seconds=1).read_bytes()
    upload_id = await studio.begin(len(data))
    await studio.client.put(f"/uploads/{upload_id}/cover", content=image_file("jpg").read_bytes())
    await studio.patch(upload_id, 0, data)
    await studio.client.post(f"/uploads/{upload_id}/publish", json={"title": "x"})
    await studio.work(upload_id)
    async with studio.db.begin() as session:
        await session.execute(TrackSource.__table__.delete())  # type: ignore[attr-defined]
        await service.publication_refused(session, JobId(UUID(upload_id)), "provider_refused", "your PDS said no")
    status = await studio.status(upload_id)
    assert (status["status"], status["error_code"], status["can_retry"]) == ("failed", "provider_refused", True)
    assert set((await owners(studio.db)).values()) == {"upload"}
    assert (await studio.client.post(f"/uploads/{upload_id}/retry")).status_code == 202
    assert (await studio.work(upload_id)).phase == "publishing"
    assert set((await owners(studio.db)).values()) == {"track"}


async def test_missing_grant_waits_for_sign_in(studio: Studio, audio_file: AudioFile) -> None:
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    await studio.work(upload_id)
    async with studio.db.begin() as session:
        await service.publication_waits(session, JobId(UUID(upload_id)))
    status = await studio.status(upload_id)
    assert (status["status"], status["phase"]) == ("processing", "waiting_for_sign_in")
    assert "sign in" in status["message"]
    await deliver(studio, upload_id)
    assert (await studio.status(upload_id))["phase"] == "live"


@pytest.mark.parametrize("step", ["assemble", "check", "look_at_cover", "publish"])
async def test_cancel_before_any_step_leaves_no_track_and_no_object(
    studio: Studio, audio_file: AudioFile, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from plyr.uploads.jobs import _Work

    whole = getattr(_Work, step)
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")

    async def cancelled_first(self: _Work) -> bool:
        assert (await studio.client.delete(f"/uploads/{upload_id}")).status_code == 204
        done: bool = await whole(self)
        return done

    monkeypatch.setattr(_Work, step, cancelled_first)
    with pytest.raises(AssertionError):
        await studio.work(upload_id)
    assert (await studio.client.get(f"/uploads/{upload_id}/status")).status_code == 404
    assert [await count(studio.db, model) for model in (TrackSource, RepoWrite, Upload, Job)] == [0, 0, 0, 0]
    assert await owners(studio.db) == {}
    async with studio.db.begin() as session:
        await session.execute(update(MediaObject).values(delete_after=func.now()))
    await storage.purge_due(studio.db, studio.resources.storage)
    assert [blob async for blob in studio.resources.storage.list_blobs()] == []


async def test_cancel_while_the_pds_is_asked_is_too_late(studio: Studio, audio_file: AudioFile) -> None:
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    await studio.work(upload_id)
    assert (await studio.client.delete(f"/uploads/{upload_id}")).json()["error"] == "already_publishing"
    await deliver(studio, upload_id)
    assert (await studio.client.delete(f"/uploads/{upload_id}")).status_code == 204
    assert await count(studio.db, TrackSource) == 1
    assert set((await owners(studio.db)).values()) == {"track"}


async def test_unfinished_upload_is_forgotten_after_seven_days(studio: Studio) -> None:
    old, new = await studio.begin(10), await studio.begin(10)
    await studio.patch(old, 0, b"abc")
    async with studio.db.begin() as session:
        week = func.now() - lifecycle.UNFINISHED_KEPT_FOR
        await session.execute(update(Upload).where(Upload.id == UUID(old)).values(updated_at=week))
    assert await service.expire_stale(studio.db) == 1
    assert [upload["upload_id"] for upload in (await studio.client.get("/uploads/")).json()["uploads"]] == [new]
    assert await owners(studio.db) == {}


async def test_sweep_finds_rows_without_object_and_objects_without_row(studio: Studio, audio_file: AudioFile) -> None:
    upload_id = await studio.upload(audio_file("mp3", seconds=1).read_bytes(), title="x")
    await studio.work(upload_id)
    async with studio.db.begin() as session:
        file_id = await session.scalar(select(TrackSource.file_id))
    store, folder = studio.resources.storage, Path(studio.resources.settings.storage_url.removeprefix("file://"))
    assert await storage.sweep(studio.db, store) == storage.SweepReport([], [])
    shutil.move(folder / "audio" / str(file_id), folder / "audio" / ("0" * 32))
    report = await storage.sweep(studio.db, store)
    assert [row.key for row in report.missing] == [f"audio/{file_id}"]
    assert [(blob.key, age >= 0) for blob, age in report.orphans] == [("audio/" + "0" * 32, True)]
