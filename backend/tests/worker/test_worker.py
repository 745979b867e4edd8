"""the worker as a whole: hears, sweeps, stops, and has a handler for everything that can be asked of it."""

import asyncio
import time
from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import insert

from plyr.config import Settings
from plyr.db import Database
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.jobs.models import Job
from plyr.kit.ids import Did, JobId
from plyr.worker.main import work
from tests.fixtures.services import Env, Service

NOBODY = Did("did:plc:nobody")


async def _ended(db: Database, job_id: JobId) -> str:
    async with asyncio.timeout(20):
        async for job in jobs.watch(db, job_id):
            if job.is_final:
                return job.status
    return "gone"


async def test_work_job_nobody_was_told_of_is_found_by_looking(db: Database, settings: Settings) -> None:
    job_id = JobId(uuid4())
    row = {"kind": "revoke_grant", "owner_did": NOBODY, "payload": {"grant_id": str(uuid4())}, "phase": "revoking"}
    async with db.begin() as session:
        await session.execute(insert(Job).values(id=job_id, released=True, **row))
    stop = asyncio.Event()
    worker = asyncio.create_task(work(settings, stop))
    assert await _ended(db, job_id) == "completed"
    stop.set()
    await asyncio.wait_for(worker, 10)


async def test_work_job_notified_starts_well_before_the_next_look(db: Database, settings: Settings) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(work(settings, stop))
    waits = []
    for _ in range(3):
        began = time.monotonic()
        async with db.begin() as session:
            payload = {"grant_id": str(uuid4())}
            job_id = await jobs.create(session, JobKind.REVOKE_GRANT, NOBODY, payload, phase="revoking")
        assert await _ended(db, job_id) == "completed"
        waits.append(time.monotonic() - began)
    assert min(waits) < 1.0
    stop.set()
    await asyncio.wait_for(worker, 10)


def test_worker_asked_to_stop_ends_well_within_seconds(
    backend_env: dict[str, str], start_worker: Callable[[Env], Service]
) -> None:
    worker = start_worker(backend_env)
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 10
