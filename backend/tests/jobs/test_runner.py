"""running jobs: one worker at a time, taken over when it is silent, never for ever."""

import asyncio
from uuid import uuid4

import pytest

from plyr.db import Database
from plyr.jobs import runner, service
from plyr.jobs.errors import JobFailed
from plyr.jobs.kinds import JobKind
from plyr.jobs.runner import Handler, JobContext
from plyr.jobs.views import JobView
from plyr.kit.ids import Did, JobId

LEASE_S = 1.5


async def _make(db: Database) -> JobId:
    async with db.begin() as session:
        return await service.create(session, JobKind.UPLOAD, Did("did:plc:alice"), {}, phase="started")


async def _run(db: Database, job_id: JobId, handler: Handler) -> JobView:
    await runner.run(job_id, db, {JobKind.UPLOAD: handler}, None, LEASE_S)
    async with db.begin() as session:
        job = await service.get(session, job_id)
    assert job is not None
    return job


async def _complete(context: JobContext) -> None:
    async with context.db.begin() as session:
        await service.complete(session, context.job.id, {})


async def test_run_two_workers_at_once_only_one_runs_it(db: Database) -> None:
    job_id, runs = await _make(db), 0

    async def slow(context: JobContext) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.2)
        await _complete(context)

    await asyncio.gather(*(_run(db, job_id, slow) for _ in range(4)))
    assert runs == 1


async def test_run_longer_than_the_lease_keeps_it(db: Database) -> None:
    job_id = await _make(db)

    async def slow(context: JobContext) -> None:
        await asyncio.sleep(LEASE_S * 1.6)
        async with db.begin() as session:
            assert await service.list_due(session) == []
        await _complete(context)

    assert (await _run(db, job_id, slow)).status == "completed"


async def test_claim_of_a_killed_worker_is_due_again_after_its_lease(db: Database) -> None:
    job_id = await _make(db)
    async with db.begin() as session:
        assert await service.claim(session, job_id, uuid4(), 0.3)
        assert await service.claim(session, job_id, uuid4(), 0.3) is None
    await asyncio.sleep(0.4)
    assert (await _run(db, job_id, _complete)).attempts == 2


async def test_run_that_kills_its_worker_each_time_is_given_up_with_a_reason(db: Database) -> None:
    job_id = await _make(db)
    for _ in range(runner.MAX_ATTEMPTS):
        async with db.begin() as session:
            assert await service.claim(session, job_id, uuid4(), 0.01)
        await asyncio.sleep(0.03)
    job = await _run(db, job_id, _complete)
    assert (job.status, job.error_code) == ("failed", "internal")
    assert str(job_id) in (job.error_detail or "")


async def test_run_raising_job_failed_ends_with_its_reason(db: Database) -> None:
    async def refuse(_context: JobContext) -> None:
        raise JobFailed("not_audio", "this is a picture", {"kind": "jpeg"})

    job = await _run(db, await _make(db), refuse)
    assert (job.status, job.error_code, job.error_detail) == ("failed", "not_audio", "this is a picture")
    assert job.result == {"kind": "jpeg"}


async def test_run_raising_anything_else_is_tried_again_later(db: Database) -> None:
    async def broken(_context: JobContext) -> None:
        raise RuntimeError("a bug")

    job_id = await _make(db)
    job = await _run(db, job_id, broken)
    assert (job.status, job.attempts) == ("processing", 1)
    assert (await _run(db, job_id, _complete)).attempts == 1, "it must wait before it runs again"


async def test_run_cancelled_by_shutdown_is_given_back_at_once(db: Database) -> None:
    job_id, started = await _make(db), asyncio.Event()

    async def endless(_context: JobContext) -> None:
        started.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(_run(db, job_id, endless))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await _run(db, job_id, _complete)).status == "completed"
