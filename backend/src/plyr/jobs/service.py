"""Jobs: a row says what is to be done and how far it is; whoever needs one inserts it in their transaction."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from plyr.db import Database, Session, notify
from plyr.jobs import repo
from plyr.jobs.kinds import JobKind
from plyr.jobs.views import JobView
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did, JobId

CHANGED = "job_changed"
DUE = "job_due"
_REREAD_S = 15.0
_NAMES = UUID("6f0d5c1e-3f0a-4c58-9a55-0d2f6a1b7c11")


async def create(
    session: Session,
    kind: JobKind,
    owner: Did,
    payload: Mapping[str, object],
    *,
    phase: str,
    message: str = "",
    job_id: UUID | None = None,
    released: bool = True,
) -> JobId:
    """Insert a job; unless `released` is False the worker starts it once this transaction commits.

    errors: IntegrityError when `job_id` is taken
    """
    new_id = JobId(job_id or uuid4())
    values = {"id": new_id, "kind": kind, "owner_did": owner, "payload": dict(payload)}
    await repo.add(session, {**values, "phase": phase, "message": message, "released": released})
    if released:
        await notify(session, DUE, str(new_id))
    return new_id


async def create_once(
    session: Session, kind: JobKind, name: str, owner: Did, payload: Mapping[str, object], *, phase: str
) -> None:
    """Insert a job of this name unless one is open; one that failed or ended long ago is begun anew."""
    job_id = JobId(uuid5(_NAMES, f"{kind}:{name}"))
    values = {"id": job_id, "kind": kind, "owner_did": owner, "payload": dict(payload), "phase": phase}
    if await repo.add_or_reopen(session, {**values, "released": True}):
        await notify(session, DUE, str(job_id))


async def release(session: Session, job_id: JobId) -> None:
    """Let the worker start a job that was held back. Again: nothing."""
    if await repo.change(session, job_id, {"released": True}):
        await _announce(session, job_id)
        await notify(session, DUE, str(job_id))


async def report(
    session: Session,
    job_id: JobId,
    *,
    phase: str | None = None,
    pct: float | None = None,
    message: str | None = None,
) -> None:
    """Write how far a job is; a finished one is left as it ended.

    units:  pct from 0 to 100 over the whole job
    """
    given = {"phase": phase, "progress_pct": pct, "message": message}
    changes = {name: value for name, value in given.items() if value is not None}
    if await repo.change(session, job_id, changes):
        await _announce(session, job_id)


async def complete(session: Session, job_id: JobId, result: Mapping[str, object], *, phase: str = "done") -> None:
    """End a job well."""
    ended = {"status": "completed", "phase": phase, "progress_pct": 100, "message": "", "result": dict(result)}
    if await repo.change(session, job_id, ended):
        await _announce(session, job_id)


async def fail(
    session: Session, job_id: JobId, code: str, detail: str, result: Mapping[str, object] | None = None
) -> None:
    """End a job with the reason its owner reads."""
    ended = {"status": "failed", "error_code": code, "error_detail": detail, "result": dict(result or {})}
    if await repo.change(session, job_id, ended):
        await _announce(session, job_id)


async def wait_for(session: Session, job_id: JobId, phase: str, message: str) -> None:
    """Leave a job to somebody else's end, e.g. to the delivery of a repo write."""
    if await repo.change(session, job_id, {"status": "waiting", "phase": phase, "message": message}):
        await _announce(session, job_id)


async def reopen(session: Session, job_id: JobId, *, phase: str, message: str = "") -> bool:
    """Start a failed job anew. False: it has not failed."""
    if not await repo.reopen(session, job_id, phase, message):
        return False
    await _announce(session, job_id)
    await notify(session, DUE, str(job_id))
    return True


async def discard(session: Session, job_id: JobId) -> None:
    """Forget a job; its watchers are told that it is over."""
    await repo.remove(session, job_id)
    await _announce(session, job_id)


async def get(session: Session, job_id: JobId) -> JobView | None:
    """Return a job, None if there is none."""
    return await repo.find(session, job_id)


async def list_by_owner(
    session: Session, owner: Did, kind: JobKind, *, job_ids: Sequence[JobId] | None = None, limit: int = 50
) -> list[JobView]:
    """Return an owner's jobs of a kind, newest first."""
    return await repo.list_by_owner(session, owner, kind, job_ids, limit)


async def watch(db: Database, job_id: JobId, after: int = 0) -> AsyncIterator[JobView]:
    """Yield a job at each new revision, ending after its final one or when it is gone.

    shape:  whatever `after` says, a finished job is yielded once; revisions in between may be skipped
    cost:   one read a change, and one every 15 s in case a notification was lost
    """
    async with db.listen(CHANGED) as inbox:
        seen, first = after, True
        while True:
            async with db.begin() as session:
                job = await repo.find(session, job_id)
            if job is None:
                return
            if job.revision > seen or (first and job.is_final):
                seen, first = job.revision, False
                yield job
            if job.is_final:
                return
            await _until_changed(inbox, job_id)


async def _until_changed(inbox: "asyncio.Queue[str]", job_id: JobId) -> None:
    try:
        async with asyncio.timeout(_REREAD_S):
            while await inbox.get() not in ("", str(job_id)):
                pass
    except TimeoutError:
        pass


async def claim(session: Session, job_id: JobId, lease: UUID, lease_s: float) -> JobView | None:
    """Take a due job for `lease_s` seconds, counting the attempt; None if it is not to be had."""
    return await repo.claim(session, job_id, lease, timedelta(seconds=lease_s))


async def extend(session: Session, job_id: JobId, lease: UUID, lease_s: float) -> bool:
    """Keep a claimed job for `lease_s` more seconds; False if it was taken over or ended."""
    return await repo.extend(session, job_id, lease, timedelta(seconds=lease_s))


async def postpone(session: Session, job_id: JobId, lease: UUID, delay_s: float, message: str) -> None:
    """Give a claimed job back, to be tried again after a while."""
    later = {"run_after": utc_now() + timedelta(seconds=delay_s), "lease_token": None, "lease_until": None}
    if await repo.change(session, job_id, {**later, "message": message}, lease=lease):
        await _announce(session, job_id)


async def list_due(session: Session, limit: int = 100) -> list[JobId]:
    """Return the jobs that are to be run now, those of dead workers included."""
    return await repo.list_due(session, limit)


async def _announce(session: Session, job_id: JobId) -> None:
    await notify(session, CHANGED, str(job_id))
