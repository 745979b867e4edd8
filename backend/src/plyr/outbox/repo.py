"""Every statement on the repo_writes table."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, text, update

from plyr.db import Session
from plyr.kit.ids import Did, JobId
from plyr.outbox.models import RepoWrite
from plyr.outbox.views import PendingWrite

_COLUMNS = (
    RepoWrite.id, RepoWrite.did, RepoWrite.collection, RepoWrite.rkey, RepoWrite.action, RepoWrite.record,
    RepoWrite.job_id, RepoWrite.attempts,
)  # fmt: skip


async def add(session: Session, values: Mapping[str, Any]) -> None:
    """Insert a write at the end of its repo's line."""
    await session.execute(insert(RepoWrite).values(**values))


async def claim_head(session: Session, did: Did, lease_for: timedelta) -> PendingWrite | None:
    """Take a repo's oldest write for a while; None while it is parked, backing off, held, or there is none."""
    oldest = select(func.min(RepoWrite.id)).where(RepoWrite.did == did).scalar_subquery()
    row = await session.execute(
        update(RepoWrite)
        .where(
            RepoWrite.id == oldest,
            RepoWrite.parked_reason.is_(None),
            RepoWrite.run_after <= func.now(),
            or_(RepoWrite.lease_until.is_(None), RepoWrite.lease_until < func.now()),
        )
        .values(lease_until=func.now() + lease_for)
        .returning(*_COLUMNS)
    )
    found = row.mappings().first()
    return PendingWrite(**found) if found else None


async def list_due_repos(session: Session, limit: int) -> list[Did]:
    """Return the repos whose oldest write is due."""
    rows = await session.execute(
        text(
            "select did from (select distinct on (did) did, run_after, parked_reason, lease_until"
            " from repo_writes order by did, id) heads"
            " where parked_reason is null and run_after <= now()"
            " and (lease_until is null or lease_until < now()) limit :limit"
        ),
        {"limit": limit},
    )
    return [Did(did) for did in rows.scalars()]


async def remove(session: Session, write_id: int) -> bool:
    """Take a settled write out of the line. False: somebody did before."""
    done = await session.execute(delete(RepoWrite).where(RepoWrite.id == write_id).returning(RepoWrite.id))
    return done.first() is not None


async def back_off(session: Session, write_id: int, delay: timedelta, error: str) -> None:
    """Try a write again later."""
    await session.execute(
        update(RepoWrite)
        .where(RepoWrite.id == write_id)
        .values(attempts=RepoWrite.attempts + 1, run_after=func.now() + delay, lease_until=None, last_error=error[:500])
    )


async def park(session: Session, did: Did, reason: str) -> list[JobId]:
    """Set every write of a repo aside until its owner is back; returns the jobs that wait for them."""
    done = await session.execute(
        update(RepoWrite)
        .where(RepoWrite.did == did)
        .values(parked_reason=reason, lease_until=None)
        .returning(RepoWrite.job_id)
    )
    return [JobId(job_id) for job_id in done.scalars() if job_id is not None]


async def unpark(session: Session, did: Did) -> int:
    """Make every parked write of a repo due again; returns how many."""
    done = await session.execute(
        update(RepoWrite)
        .where(RepoWrite.did == did)
        .values(parked_reason=None, run_after=func.now(), attempts=0)
        .returning(RepoWrite.id)
    )
    return len(done.all())


async def list_deleting(session: Session, dids: Collection[str]) -> set[tuple[str, str, str]]:
    """Return (did, collection, rkey) of every deletion on its way in some repos."""
    if not dids:
        return set()
    rows = await session.execute(
        select(RepoWrite.did, RepoWrite.collection, RepoWrite.rkey).where(
            RepoWrite.did.in_(dids), RepoWrite.action == "delete"
        )
    )
    return {(row.did, row.collection, row.rkey) for row in rows}
