"""Every statement on the jobs table."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from plyr.db import Session
from plyr.jobs.models import Job
from plyr.jobs.views import JobView
from plyr.kit.ids import Did, JobId

_COLUMNS = (
    Job.id, Job.kind, Job.owner_did, Job.payload, Job.status, Job.phase, Job.progress_pct, Job.message,
    Job.error_code, Job.error_detail, Job.result, Job.revision, Job.released, Job.attempts,
    Job.created_at, Job.updated_at,
)  # fmt: skip
_OPEN = Job.status.in_(("pending", "processing"))
_UNFINISHED = Job.status.in_(("pending", "processing", "waiting"))


async def add(session: Session, values: Mapping[str, object]) -> None:
    """Insert a job; the same id twice changes nothing."""
    await session.execute(insert(Job).values(**values))


async def add_or_reopen(session: Session, values: Mapping[str, object]) -> bool:
    """Insert a job, or start one of this id that has ended again. False: it is open."""
    new = postgresql_insert(Job).values(**values)
    begun = new.on_conflict_do_update(
        index_elements=[Job.id],
        set_={
            "payload": new.excluded.payload, "phase": new.excluded.phase, "status": "pending", "error_code": None,
            "error_detail": None, "attempts": 0, "run_after": func.now(), "lease_token": None, "lease_until": None,
            "revision": Job.revision + 1, "updated_at": func.now(),
        },
        where=Job.status.in_(("completed", "failed")),
    )  # fmt: skip
    return (await session.execute(begun.returning(Job.id))).first() is not None


async def find(session: Session, job_id: JobId) -> JobView | None:
    """Return a job, None if there is no such row."""
    row = (await session.execute(select(*_COLUMNS).where(Job.id == job_id))).mappings().first()
    return JobView(**row) if row else None


async def list_by_owner(
    session: Session, owner: Did, kind: str, job_ids: Sequence[JobId] | None, limit: int
) -> list[JobView]:
    """Return an owner's jobs of a kind, newest first."""
    query = select(*_COLUMNS).where(Job.owner_did == owner, Job.kind == kind)
    if job_ids is not None:
        query = query.where(Job.id.in_(job_ids))
    rows = await session.execute(query.order_by(Job.created_at.desc()).limit(limit))
    return [JobView(**row) for row in rows.mappings()]


async def change(session: Session, job_id: JobId, values: Mapping[str, object], *, lease: UUID | None = None) -> bool:
    """Change an unfinished job and its revision; with `lease`, only while that lease holds. False: not changed."""
    query = update(Job).where(Job.id == job_id, _UNFINISHED)
    if lease is not None:
        query = query.where(Job.lease_token == lease)
    done = await session.execute(
        query.values(**values, revision=Job.revision + 1, updated_at=func.now()).returning(Job.id)
    )
    return done.first() is not None


async def reopen(session: Session, job_id: JobId, phase: str, message: str) -> bool:
    """Make a failed job runnable again from its start."""
    done = await session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == "failed")
        .values(
            status="pending", phase=phase, message=message, progress_pct=0, error_code=None, error_detail=None,
            attempts=0, run_after=func.now(), lease_token=None, lease_until=None, released=True,
            revision=Job.revision + 1, updated_at=func.now(),
        )
        .returning(Job.id)
    )  # fmt: skip
    return done.first() is not None


async def claim(session: Session, job_id: JobId, lease: UUID, lease_for: timedelta) -> JobView | None:
    """Take a due job that nobody holds, counting the attempt; None if it is not to be had."""
    row = await session.execute(
        update(Job)
        .where(
            Job.id == job_id,
            Job.released,
            _OPEN,
            Job.run_after <= func.now(),
            or_(Job.lease_until.is_(None), Job.lease_until < func.now()),
        )
        .values(
            status="processing", attempts=Job.attempts + 1, lease_token=lease, lease_until=func.now() + lease_for,
            revision=Job.revision + 1, updated_at=func.now(),
        )
        .returning(*_COLUMNS)
    )  # fmt: skip
    found = row.mappings().first()
    return JobView(**found) if found else None


async def extend(session: Session, job_id: JobId, lease: UUID, lease_for: timedelta) -> bool:
    """Keep a claimed job for some more time; False if it was taken over or ended."""
    done = await session.execute(
        update(Job)
        .where(Job.id == job_id, Job.lease_token == lease, _UNFINISHED)
        .values(lease_until=func.now() + lease_for)
        .returning(Job.id)
    )
    return done.first() is not None


async def list_due(session: Session, limit: int) -> list[JobId]:
    """Return the jobs that are to be run now, those of dead workers included."""
    rows = await session.execute(
        select(Job.id)
        .where(
            Job.released,
            _OPEN,
            Job.run_after <= func.now(),
            or_(Job.lease_until.is_(None), Job.lease_until < func.now()),
        )
        .order_by(Job.run_after)
        .limit(limit)
    )
    return [JobId(job_id) for job_id in rows.scalars()]


async def remove(session: Session, job_id: JobId) -> None:
    """Forget a job."""
    await session.execute(delete(Job).where(Job.id == job_id))
