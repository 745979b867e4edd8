"""Every statement on the tables of the outbox."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, cast, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.dialects.postgresql import insert as insert_or

from plyr.db import Session
from plyr.db.arrays import is_among
from plyr.kit.at_uri import make_at_uri
from plyr.kit.ids import AtUri, Did, JobId, Nsid, RecordKey, Rev
from plyr.outbox.models import AwaitedEcho, FailedWrite, RepoWrite, SpentPoints
from plyr.outbox.views import FailedWriteView, PendingWrite, WriteBudget, WriteId

_COLUMNS = (
    RepoWrite.id, RepoWrite.did, RepoWrite.collection, RepoWrite.rkey, RepoWrite.action, RepoWrite.record,
    RepoWrite.merge, RepoWrite.expects, RepoWrite.job_id, RepoWrite.attempts,
)  # fmt: skip


async def lock_line(session: Session, did: Did) -> None:
    """Let only one transaction at a time add to a repo's line, so that ids follow the order of commits."""
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:did, 12))"), {"did": did})


async def add(session: Session, values: Mapping[str, Any]) -> WriteId:
    """Insert a write at the end of its repo's line."""
    return WriteId((await session.execute(insert(RepoWrite).values(**values).returning(RepoWrite.id))).scalar_one())


async def find_due_head(session: Session, did: Did) -> PendingWrite | None:
    """Lock a repo's oldest write; None while it is parked, backing off, held, or there is none."""
    oldest = select(func.min(RepoWrite.id)).where(RepoWrite.did == did).scalar_subquery()
    row = await session.execute(
        select(*_COLUMNS)
        .where(
            RepoWrite.id == oldest,
            RepoWrite.parked_reason.is_(None),
            RepoWrite.run_after <= func.now(),
            or_(RepoWrite.lease_until.is_(None), RepoWrite.lease_until < func.now()),
        )
        .with_for_update()
    )
    found = row.mappings().first()
    return PendingWrite(**found) if found else None


async def lease(session: Session, write_id: WriteId, lease_for: timedelta) -> None:
    """Hold a write for a while; from now on the PDS may have heard of it."""
    values = {"lease_until": func.now() + lease_for, "sent_at": func.coalesce(RepoWrite.sent_at, func.now())}
    await session.execute(update(RepoWrite).where(RepoWrite.id == write_id).values(values))


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


async def remove(session: Session, write_id: WriteId) -> bool:
    """Take a settled write out of the line. False: somebody did before."""
    done = await session.execute(delete(RepoWrite).where(RepoWrite.id == write_id).returning(RepoWrite.id))
    return done.first() is not None


async def remove_unsent(session: Session, did: Did, collection: Nsid, rkey: RecordKey) -> bool:
    """Take a record's put out of the line if the PDS cannot have heard of it. False: there is none such."""
    done = await session.execute(
        delete(RepoWrite)
        .where(
            RepoWrite.did == did,
            RepoWrite.collection == collection,
            RepoWrite.rkey == rkey,
            RepoWrite.action == "put",
            RepoWrite.sent_at.is_(None),
        )
        .returning(RepoWrite.id)
    )
    return done.first() is not None


async def back_off(session: Session, write_id: WriteId, delay: timedelta, error: str, *, counted: bool = True) -> None:
    """Try a write again later."""
    attempts = RepoWrite.attempts + 1 if counted else RepoWrite.attempts
    await session.execute(
        update(RepoWrite)
        .where(RepoWrite.id == write_id)
        .values(attempts=attempts, run_after=func.now() + delay, lease_until=None, last_error=error[:500])
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
        .where(RepoWrite.did == did, RepoWrite.parked_reason.is_not(None))
        .values(parked_reason=None, run_after=func.now(), attempts=0)
        .returning(RepoWrite.id)
    )
    return len(done.all())


async def list_pending(session: Session, dids: Collection[Did], rkeys: Collection[RecordKey]) -> list[PendingWrite]:
    """Return the writes on their way to some repos under some keys, in order."""
    query = (
        select(*_COLUMNS).where(is_among(RepoWrite.did, dids), is_among(RepoWrite.rkey, rkeys)).order_by(RepoWrite.id)
    )
    return [PendingWrite(**row) for row in (await session.execute(query)).mappings()]


async def add_failure(session: Session, write: PendingWrite, code: str, detail: str) -> None:
    """Keep why a write failed."""
    names = ("id", "did", "collection", "rkey", "action")
    kept = {name: getattr(write, name) for name in names}
    await session.execute(insert(FailedWrite).values(**kept, code=code, detail=detail))


async def list_failures(session: Session, did: Did, write_id: WriteId | None, limit: int) -> list[FailedWriteView]:
    """Return how an account's writes failed, newest first."""
    query = select(FailedWrite).where(FailedWrite.did == did)
    if write_id is not None:
        query = query.where(FailedWrite.id == write_id)
    rows = await session.scalars(query.order_by(FailedWrite.failed_at.desc(), FailedWrite.id.desc()).limit(limit))
    return [
        FailedWriteView(
            WriteId(row.id),
            make_at_uri(Did(row.did), Nsid(row.collection), RecordKey(row.rkey)),
            row.action,
            row.code,
            row.detail,
            row.failed_at,
        )
        for row in rows
    ]


async def forget_failures(session: Session, older_than: timedelta) -> int:
    """Drop old reasons; returns how many."""
    old = delete(FailedWrite).where(FailedWrite.failed_at < func.now() - older_than).returning(FailedWrite.id)
    return len((await session.execute(old)).all())


async def measure(session: Session) -> tuple[int, int, float]:
    """Return how many writes are on their way, how many are parked, and the age of the oldest on its way in seconds."""
    parked = RepoWrite.parked_reason.is_not(None)
    oldest = func.min(RepoWrite.created_at).filter(~parked)
    age_s = func.coalesce(func.extract("epoch", func.now() - oldest), 0)
    figures = select(func.count().filter(~parked), func.count().filter(parked), age_s).select_from(RepoWrite)
    row = (await session.execute(figures)).one()
    return int(row[0]), int(row[1]), float(row[2])


async def list_spent(session: Session, did: Did, budget: WriteBudget) -> list[tuple[float, int]]:
    """Return what an account's recent writes cost, oldest first: (seconds until it no longer counts, points)."""
    counts_until = SpentPoints.slot + budget.slot + budget.per
    left_s = func.extract("epoch", counts_until - func.now())
    query = select(left_s, SpentPoints.points).where(SpentPoints.did == did, counts_until > func.now())
    return [(float(left), int(points)) for left, points in await session.execute(query.order_by(SpentPoints.slot))]


async def spend(session: Session, did: Did, points: int, budget: WriteBudget) -> None:
    """Count points of a write that is about to be sent."""
    slot = func.date_bin(budget.slot, func.now(), text("timestamptz 'epoch'"))
    new = insert_or(SpentPoints).values(did=did, slot=slot, points=points)
    more = SpentPoints.points + new.excluded.points
    keys = [SpentPoints.did, SpentPoints.slot]
    await session.execute(new.on_conflict_do_update(index_elements=keys, set_={"points": more}))


async def forget_spent(session: Session, older_than: timedelta) -> int:
    """Drop counts that no longer matter; returns how many."""
    old = delete(SpentPoints).where(SpentPoints.slot < func.now() - older_than).returning(SpentPoints.did)
    return len((await session.execute(old)).all())


async def await_echo(session: Session, uri: AtUri, did: Did, rev: Rev) -> None:
    """Expect a write back; of two writes to one record the later one stands for both."""
    new = insert_or(AwaitedEcho).values(uri=uri, did=did, rev=rev)
    later = {"rev": new.excluded.rev, "written_at": func.now(), "signalled_at": None}
    where = AwaitedEcho.rev < new.excluded.rev
    await session.execute(new.on_conflict_do_update(index_elements=[AwaitedEcho.uri], set_=later, where=where))


async def drop_echoes(session: Session, revs: Mapping[AtUri, Rev]) -> None:
    """Stop waiting for writes that came back, at their revision or a later one."""
    texts = ARRAY(TEXT)
    columns = (cast(list(revs), texts), cast(list(revs.values()), texts))
    seen = func.unnest(*columns).table_valued("uri", "rev", name="seen").render_derived()
    came = and_(AwaitedEcho.uri == seen.c.uri, AwaitedEcho.rev <= seen.c.rev)
    await session.execute(delete(AwaitedEcho).where(came).execution_options(synchronize_session=False))


async def signal_echoes(session: Session, overdue: timedelta) -> list[tuple[Did, AtUri]]:
    """Mark writes that have been out for too long; returns those not marked before."""
    late = AwaitedEcho.written_at < func.now() - overdue
    done = await session.execute(
        update(AwaitedEcho)
        .where(late, AwaitedEcho.signalled_at.is_(None))
        .values(signalled_at=func.now())
        .returning(AwaitedEcho.did, AwaitedEcho.uri)
    )
    return [(Did(did), AtUri(uri)) for did, uri in done]


async def count_signalled(session: Session) -> int:
    """Return how many writes have been out for too long."""
    return int(await session.scalar(select(func.count()).where(AwaitedEcho.signalled_at.is_not(None))) or 0)


async def forget_echoes(session: Session, older_than: timedelta) -> int:
    """Stop waiting for what did not come back and has been signalled long ago; returns how many."""
    old = delete(AwaitedEcho).where(AwaitedEcho.signalled_at < func.now() - older_than).returning(AwaitedEcho.uri)
    return len((await session.execute(old)).all())


async def drop_echoes_of(session: Session, did: Did, rev: Rev) -> None:
    """Stop waiting for a repo's writes up to a revision."""
    await session.execute(delete(AwaitedEcho).where(AwaitedEcho.did == did, AwaitedEcho.rev <= rev))
