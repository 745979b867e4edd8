"""Running one job: claim it, keep its lease alive, and end it in success or in an explained failure."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog

from plyr.db import Database
from plyr.jobs import service
from plyr.jobs.errors import JobFailed
from plyr.jobs.kinds import JobKind
from plyr.jobs.views import JobView
from plyr.kit.ids import JobId

MAX_ATTEMPTS = 5
_RETRY_S = (1.0, 5.0, 20.0, 60.0)

log = structlog.get_logger()


@dataclass(frozen=True)
class JobContext:
    """What a handler gets: the job as it was claimed, the database, and what the worker wired."""

    job: JobView
    db: Database
    resources: Any

    @property
    def attempt(self) -> int:
        """Which attempt this is, the first being 1."""
        return self.job.attempts


Handler = Callable[[JobContext], Awaitable[None]]


async def run(
    job_id: JobId, db: Database, handlers: Mapping[JobKind, Handler], resources: object, lease_s: float
) -> None:
    """Run a job if it is due and free.

    shape:  the handler must be idempotent at every point: a killed worker's job is run again
    errors: none; what a handler raises ends in the job's row
    """
    lease = uuid4()
    async with db.begin() as session:
        job = await service.claim(session, job_id, lease, lease_s)
        if job is not None and job.attempts > MAX_ATTEMPTS:
            await service.fail(session, job_id, "internal", _gave_up(job))
            return
    if job is None:
        return
    handler = asyncio.ensure_future(handlers[JobKind(job.kind)](JobContext(job, db, resources)))
    keeper = asyncio.create_task(_keep_lease(db, job_id, lease, lease_s, handler))
    try:
        await handler
    except asyncio.CancelledError:
        if keeper.done() and not keeper.cancelled():
            log.warning("job_lease_lost", job=str(job_id), kind=job.kind)
            return
        handler.cancel()
        await asyncio.shield(_give_back(db, job_id, lease))
        raise
    except JobFailed as failure:
        async with db.begin() as session:
            await service.fail(session, job_id, failure.code, failure.detail, failure.result)
    except Exception:
        log.exception("job_attempt_failed", job=str(job_id), kind=job.kind, attempt=job.attempts)
        await _try_later(db, job, lease)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _keep_lease(
    db: Database, job_id: JobId, lease: UUID, lease_s: float, handler: "asyncio.Future[None]"
) -> None:
    while True:
        await asyncio.sleep(lease_s / 3)
        try:
            async with db.begin() as session:
                kept = await service.extend(session, job_id, lease, lease_s)
        except Exception as error:
            log.warning("job_lease_not_extended", job=str(job_id), error=str(error))
            continue
        if not kept:
            handler.cancel()
            return


async def _give_back(db: Database, job_id: JobId, lease: UUID) -> None:
    """This process is stopping: let the next worker go on at once."""
    async with db.begin() as session:
        await service.postpone(session, job_id, lease, 0, "going on in a moment")


async def _try_later(db: Database, job: JobView, lease: UUID) -> None:
    async with db.begin() as session:
        if job.attempts >= MAX_ATTEMPTS:
            await service.fail(session, job.id, "internal", _gave_up(job))
            return
        delay_s = _RETRY_S[min(job.attempts - 1, len(_RETRY_S) - 1)]
        await service.postpone(session, job.id, lease, delay_s, "something went wrong on our side; trying again")


def _gave_up(job: JobView) -> str:
    return (
        f"this did not work in {MAX_ATTEMPTS} attempts, and the fault is on our side. what you sent was kept; "
        f"try again, and if it fails once more tell us this number: {job.id}"
    )
