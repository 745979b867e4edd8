"""The outbox: a repo write is a row in the transaction that wants it, and reaches the PDS later, in order.

Delivery itself composes the owner's grant, the PDS and the index: `plyr.index.delivery`.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from plyr.db import Session, notify
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import AtUri, Did, JobId, Nsid, RecordKey
from plyr.outbox import repo
from plyr.outbox.views import PendingWrite

DUE = "repo_write_due"


async def put_record(
    session: Session,
    did: Did,
    collection: Nsid,
    rkey: RecordKey,
    record: dict[str, Any],
    *,
    job_id: JobId | None = None,
) -> None:
    """Want a record written; `job_id` is the job that waits for it."""
    values = {"did": did, "collection": collection, "rkey": rkey, "action": "put", "record": record}
    await repo.add(session, {**values, "job_id": job_id})
    await notify(session, DUE, did)


async def delete_record(session: Session, did: Did, collection: Nsid, rkey: RecordKey) -> None:
    """Want a record deleted; a record that is not there counts as deleted."""
    await repo.add(session, {"did": did, "collection": collection, "rkey": rkey, "action": "delete"})
    await notify(session, DUE, did)


async def resume(session: Session, did: Did) -> int:
    """Make a repo's parked writes due again, e.g. after a sign-in; returns how many."""
    count = await repo.unpark(session, did)
    if count:
        await notify(session, DUE, did)
    return count


async def claim_head(session: Session, did: Did, lease_s: float) -> PendingWrite | None:
    """Take a repo's oldest write for `lease_s` seconds; None if it is not due or somebody has it."""
    return await repo.claim_head(session, did, timedelta(seconds=lease_s))


async def settle(session: Session, write_id: int) -> bool:
    """Take a delivered or refused write out of the line. False: somebody did before."""
    return await repo.remove(session, write_id)


async def back_off(session: Session, write: PendingWrite, error: str, *, delay_s: float | None = None) -> None:
    """Try a write again later: after `delay_s`, or 1 s doubling to 5 minutes."""
    wait_s = delay_s if delay_s is not None else min(2.0**write.attempts, 300.0)
    await repo.back_off(session, write.id, timedelta(seconds=wait_s), error)


async def park(session: Session, did: Did, reason: str) -> list[JobId]:
    """Set a repo's writes aside until `resume`; returns the jobs that wait for them."""
    return await repo.park(session, did, reason)


async def list_due_repos(session: Session, limit: int = 100) -> list[Did]:
    """Return the repos that have a write to deliver now."""
    return await repo.list_due_repos(session, limit)


async def list_pending_deletions(session: Session, uris: Collection[AtUri]) -> set[AtUri]:
    """Return those records whose owners want them gone, by writes that are not delivered yet."""
    parts = {split_at_uri(uri): uri for uri in uris}
    deleting = await repo.list_deleting(session, {did for did, _, _ in parts})
    return {uri for part, uri in parts.items() if part in deleting}
