"""The outbox: a repo write is a row in the transaction that wants it, and reaches the PDS later, in order.

Delivery itself composes the owner's grant, the PDS and the index: `plyr.index.delivery`.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from plyr.db import Database, Session, notify
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import AtUri, Did, JobId, Nsid, RecordKey, Rev
from plyr.outbox import repo
from plyr.outbox.views import POINTS, Backlog, Expectation, FailedWriteView, PendingWrite, WriteBudget, WriteId

DUE = "repo_write_due"
PDS_BUDGET = WriteBudget()
_REASONS_KEPT_FOR = timedelta(days=30)
_ECHOES_KEPT_FOR = timedelta(days=1)
_LONGEST_WAIT_S = 300.0


async def put_record(
    session: Session,
    did: Did,
    collection: Nsid,
    rkey: RecordKey,
    record: dict[str, Any],
    *,
    job_id: JobId | None = None,
    merge: Collection[str] | None = None,
    expects: Expectation | None = None,
) -> WriteId:
    """Want a record written; `job_id` is the job that waits for it.

    shape:  with `merge` the write is an edit that decides these fields (those missing in `record` are taken away) and
            is laid over the record as it stands on the PDS, again if somebody else was faster; with `expects` it is
            meant for one version only and fails as a `conflict` on any other; at most one of the two
    """
    await repo.lock_line(session, did)
    values = {"did": did, "collection": collection, "rkey": rkey, "action": "put", "record": record, "job_id": job_id}
    fields = sorted(merge) if merge is not None else None
    write_id = await repo.add(session, {**values, "merge": fields, "expects": expects})
    await notify(session, DUE, did)
    return write_id


async def delete_record(
    session: Session, did: Did, collection: Nsid, rkey: RecordKey, *, expects: Expectation | None = None
) -> WriteId:
    """Want a record deleted; a record that is not there counts as deleted."""
    await repo.lock_line(session, did)
    values = {"did": did, "collection": collection, "rkey": rkey, "action": "delete", "expects": expects}
    write_id = await repo.add(session, values)
    await notify(session, DUE, did)
    return write_id


async def lock_line(session: Session, did: Did) -> None:
    """Until this transaction ends, nobody else adds writes to this repo."""
    await repo.lock_line(session, did)


async def cancel_put(session: Session, did: Did, collection: Nsid, rkey: RecordKey) -> bool:
    """Take back a record that the PDS cannot have heard of yet. False: it may have, so it must be deleted there."""
    return await repo.remove_unsent(session, did, collection, rkey)


async def resume(session: Session, did: Did) -> int:
    """Make a repo's parked writes due again, e.g. after a sign-in; returns how many."""
    count = await repo.unpark(session, did)
    if count:
        await notify(session, DUE, did)
    return count


async def claim_head(
    session: Session, did: Did, lease_s: float, budget: WriteBudget = PDS_BUDGET
) -> PendingWrite | None:
    """Take a repo's oldest write for `lease_s` seconds and count its points; None if it is not to be had.

    shape:  a write the account has no points left for waits until it has
    """
    write = await repo.find_due_head(session, did)
    if write is None:
        return None
    cost = POINTS[write.action]
    if (wait_s := _until_affordable_s(await repo.list_spent(session, did, budget), cost, budget)) > 0:
        why = f"the PDS takes {budget.points} write points in {budget.per}; waiting for the next"
        await repo.back_off(session, write.id, timedelta(seconds=wait_s), why, counted=False)
        return None
    await repo.spend(session, did, cost, budget)
    await repo.lease(session, write.id, timedelta(seconds=lease_s))
    return write


def _until_affordable_s(spent: list[tuple[float, int]], cost: int, budget: WriteBudget) -> float:
    over = sum(points for _, points in spent) + cost - budget.points
    for left_s, points in spent:
        if over <= 0:
            return 0.0
        over -= points
        if over <= 0:
            return max(left_s, 0.001)
    return 0.0


async def settle(session: Session, write_id: WriteId) -> bool:
    """Take a delivered or refused write out of the line. False: somebody did before."""
    return await repo.remove(session, write_id)


async def fail(session: Session, write: PendingWrite, code: str, detail: str) -> bool:
    """Take a write that can never succeed out of the line and keep the reason. False: somebody did before."""
    if not await repo.remove(session, write.id):
        return False
    await repo.add_failure(session, write, code, detail)
    return True


async def list_failures(
    session: Session, did: Did, *, write_id: WriteId | None = None, limit: int = 50
) -> list[FailedWriteView]:
    """Return why an account's writes (or that one) could not be made, newest first, for 30 days."""
    return await repo.list_failures(session, did, write_id, limit)


async def back_off(session: Session, write: PendingWrite, error: str, *, delay_s: float | None = None) -> None:
    """Try a write again later: after `delay_s`, or 1 s doubling to 5 minutes."""
    wait_s = delay_s if delay_s is not None else min(2.0 ** min(write.attempts, 16), _LONGEST_WAIT_S)
    await repo.back_off(session, write.id, timedelta(seconds=wait_s), error, counted=delay_s is None)


async def park(session: Session, did: Did, reason: str) -> list[JobId]:
    """Set a repo's writes aside until `resume`; returns the jobs that wait for them."""
    return await repo.park(session, did, reason)


async def list_due_repos(session: Session, limit: int = 100) -> list[Did]:
    """Return the repos that have a write to deliver now."""
    return await repo.list_due_repos(session, limit)


async def list_pending(session: Session, uris: Collection[AtUri]) -> dict[AtUri, list[PendingWrite]]:
    """Return the writes on their way for some records, in order, by address. cost: 1 statement."""
    if not uris:
        return {}
    wanted, parts = set(uris), [split_at_uri(uri) for uri in uris]
    writes = await repo.list_pending(session, {did for did, _, _ in parts}, {rkey for _, _, rkey in parts})
    found: dict[AtUri, list[PendingWrite]] = {}
    for write in writes:
        if write.uri in wanted:
            found.setdefault(write.uri, []).append(write)
    return found


async def list_pending_deletions(session: Session, uris: Collection[AtUri]) -> set[AtUri]:
    """Return those records whose owners want them gone, by writes that are not delivered yet."""
    pending = await list_pending(session, uris)
    return {uri for uri, writes in pending.items() if writes[-1].action == "delete"}


async def expect_echo(session: Session, uri: AtUri, rev: Rev) -> None:
    """A write reached its repo at `rev` and is to come back through the stream of events."""
    await repo.await_echo(session, uri, split_at_uri(uri)[0], rev)


async def note_echoes(session: Session, revs: Mapping[AtUri, Rev]) -> None:
    """The stream brought these records; to be called after they went through the door, in that transaction.

    cost:   1 statement for any number
    """
    if revs:
        await repo.drop_echoes(session, revs)


async def forget_echoes(session: Session, did: Did, rev: Rev) -> None:
    """The whole repo as of `rev` was compared with the index: nothing up to there is awaited any more."""
    await repo.drop_echoes_of(session, did, rev)


async def take_overdue(session: Session, overdue_s: float) -> dict[Did, list[AtUri]]:
    """Return the writes that did not come back within `overdue_s` seconds, by repo, each once."""
    overdue: dict[Did, list[AtUri]] = {}
    for did, uri in await repo.signal_echoes(session, timedelta(seconds=overdue_s)):
        overdue.setdefault(did, []).append(uri)
    return overdue


async def count_overdue(session: Session) -> int:
    """Return how many writes were found not to have come back in time, and still have not."""
    return await repo.count_signalled(session)


async def measure(session: Session) -> Backlog:
    """Return how far the outbox is behind. cost: 2 statements."""
    due, parked, oldest_age_s = await repo.measure(session)
    return Backlog(due, parked, oldest_age_s, await repo.count_signalled(session))


async def forget_old(db: Database, budget: WriteBudget = PDS_BUDGET) -> int:
    """Drop reasons, counts and signals that nobody needs any more; returns how many rows."""
    async with db.begin() as session:
        count = await repo.forget_failures(session, _REASONS_KEPT_FOR)
        count += await repo.forget_spent(session, budget.per * 2)
        return count + await repo.forget_echoes(session, _ECHOES_KEPT_FOR)
