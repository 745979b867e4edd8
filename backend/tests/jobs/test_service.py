"""jobs as rows: what is asked for, followed and ended."""

import asyncio

from plyr.db import Database
from plyr.jobs import service
from plyr.jobs.kinds import JobKind
from plyr.jobs.views import JobView
from plyr.kit.ids import Did, JobId

ALICE = Did("did:plc:alice")


async def _make(db: Database, *, released: bool = True) -> JobId:
    async with db.begin() as session:
        return await service.create(session, JobKind.UPLOAD, ALICE, {"n": 1}, phase="receiving", released=released)


async def _get(db: Database, job_id: JobId) -> JobView:
    async with db.begin() as session:
        job = await service.get(session, job_id)
    assert job is not None
    return job


async def test_create_held_back_is_not_due_until_released(db: Database) -> None:
    job_id = await _make(db, released=False)
    async with db.begin() as session:
        assert await service.list_due(session) == []
        await service.release(session, job_id)
        await service.release(session, job_id)
        assert await service.list_due(session) == [job_id]


async def test_create_committed_tells_the_worker_and_rolled_back_does_not(db: Database) -> None:
    async with db.listen(service.DUE) as inbox:
        assert await inbox.get() == ""
        try:
            async with db.begin() as session:
                await service.create(session, JobKind.UPLOAD, ALICE, {}, phase="receiving")
                raise RuntimeError("the request failed")
        except RuntimeError:
            pass
        job_id = await _make(db)
        assert await asyncio.wait_for(inbox.get(), 5) == str(job_id)


async def test_watch_following_a_job_sees_the_end_even_when_it_came_first(db: Database) -> None:
    job_id = await _make(db)
    seen: list[str] = []

    async def follow() -> None:
        async for job in service.watch(db, job_id):
            seen.append(job.phase)  # noqa: PERF401 — it is read while it grows

    follower = asyncio.create_task(follow())
    async with asyncio.timeout(10):
        while not seen:
            await asyncio.sleep(0.01)
        async with db.begin() as session:
            await service.report(session, job_id, phase="checking", pct=40)
        async with db.begin() as session:
            await service.complete(session, job_id, {"track_id": 7}, phase="live")
        await follower
    assert seen[0] == "receiving"
    assert seen[-1] == "live"
    late = [job async for job in service.watch(db, job_id, after=10_000)]
    assert [(job.status, job.result) for job in late] == [("completed", {"track_id": 7})]


async def test_watch_hundred_followers_need_one_listening_connection(db: Database) -> None:
    job_id = await _make(db)

    async def last() -> str:
        return [job async for job in service.watch(db, job_id)][-1].status

    followers = [asyncio.create_task(last()) for _ in range(100)]
    await asyncio.sleep(0.2)
    async with db.begin() as session:
        await service.fail(session, job_id, "not_audio", "this is a picture")
    assert set(await asyncio.wait_for(asyncio.gather(*followers), 20)) == {"failed"}


async def test_finished_job_later_reports_change_nothing(db: Database) -> None:
    job_id = await _make(db)
    async with db.begin() as session:
        await service.complete(session, job_id, {"track_id": 7}, phase="live")
        await service.report(session, job_id, phase="checking", pct=1)
        await service.fail(session, job_id, "late", "too late")
    job = await _get(db, job_id)
    assert (job.status, job.phase, job.progress_pct, job.error_code) == ("completed", "live", 100, None)


async def test_reopen_failed_job_starts_from_nothing(db: Database) -> None:
    job_id = await _make(db)
    async with db.begin() as session:
        assert not await service.reopen(session, job_id, phase="assembling")
        await service.fail(session, job_id, "provider_refused", "no")
    async with db.begin() as session:
        assert await service.reopen(session, job_id, phase="assembling")
    job = await _get(db, job_id)
    assert (job.status, job.error_code, job.attempts) == ("pending", None, 0)
