"""Making the index agree with a repo: its whole content against the ledger, differences through the one door."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice

import structlog

from plyr.atproto.errors import AtprotoError
from plyr.atproto.sync import repos as hosts
from plyr.atproto.sync.errors import RepoUnavailable
from plyr.atproto.sync.repo_car import RepoCar, RepoRecord
from plyr.db import Database
from plyr.index import repo
from plyr.index import service as index
from plyr.index.resources import RepairResources
from plyr.index.service import Rules
from plyr.jobs import service as jobs
from plyr.jobs.errors import JobFailed
from plyr.jobs.runner import JobContext
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import AtUri, Cid, Did, Nsid, RecordKey, Rev
from plyr.kit.record_events import RecordEvent
from plyr.repos import service as repos

BATCH = 500
_UNREACHED = "the repo could not be read ({why}); what the index shows of it stays, and it is tried again later"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison brought: `compared` is False when the repo stands where we knew it to be."""

    compared: bool
    rev: Rev
    written: int = 0
    deleted: int = 0


async def reconcile_repo(context: JobContext) -> None:
    """The job: compare one repo and repair the index. A repo its host does not give out is asked about.

    errors: JobFailed when the host cannot be asked now; the schedule comes back to it
    """
    did = Did(context.job.payload["did"])
    try:
        done = await reconcile(context.resources, did, force=bool(context.job.payload.get("force")))
    except RepoUnavailable as error:
        async with context.db.begin() as session:
            await repos.request_check(session, did, status=error.reason, said_by="its own server")
            await jobs.complete(session, context.job.id, {"unavailable": error.reason})
        return
    except AtprotoError as error:
        async with context.db.begin() as session:
            await repos.note_failure(session, did, error.detail)
        raise JobFailed(error.code, _UNREACHED.format(why=error.detail)) from error
    async with context.db.begin() as session:
        result = {"compared": done.compared, "rev": done.rev, "written": done.written, "deleted": done.deleted}
        await jobs.complete(session, context.job.id, result)


async def reconcile(resources: RepairResources, did: Did, *, force: bool = False) -> Reconciled:
    """Bring what a repo holds and the ledger does not through the door, and what it lost as deletions.

    shape:  a newer revision in the ledger wins, and so does what an owner wants by writes on their way; again at any
            point: the same end
    errors: RepoUnavailable, and whatever the network says; then only what was checked has been applied
    cost:   two small requests while nothing happened; else the whole repo once, memory for its addresses
    """
    db, rules = resources.db, Rules(resources.settings.atproto_namespace, resources.lexicons)
    home = await find_home(resources, did)
    latest = await hosts.latest_commit(resources.http, home, did)
    async with db.begin() as session:
        await repos.note_home(session, did, home)
        known = await repos.get(session, did)
        if known is not None and known.status != "active":
            await repos.request_check(session, did, status="active", said_by=home)
        if known is not None and not repos.needs_comparison(known, latest.rev, force=force):
            await repos.note_unchanged(session, did)
            return Reconciled(False, latest.rev)
    async with hosts.fetch_repo(resources.http, home, did) as car:
        done = await _compare(db, car, rules)
    async with db.begin() as session:
        await repos.note_compared(session, did, done.rev)
    if done.written or done.deleted:
        log.info("repo_repaired", did=did, rev=done.rev, written=done.written, deleted=done.deleted)
    return done


async def find_home(resources: RepairResources, did: Did) -> str:
    """Return the server an account's DID document names now. errors: of the identity resolver."""
    return (await resources.oauth.identities.document(did, fresh=True)).pds_url


async def read_events(car: RepoCar, rules: Rules) -> AsyncIterator[list[RecordEvent]]:
    """Yield what a repo holds for us as events at its revision, `BATCH` at a time, read in a thread."""
    records = car.records(rules.collections)
    while chunk := await asyncio.to_thread(_take, records):
        yield [_event(car, record) for record in chunk]


async def _compare(db: Database, car: RepoCar, rules: Rules) -> Reconciled:
    async with db.begin() as session:
        ledger = await repo.list_of_repo(session, car.did)
    written, seen = 0, set[AtUri]()
    async for events in read_events(car, rules):
        seen.update(event.uri for event in events)
        differing = [event for event in events if _differs(event, ledger)]
        written += await _apply(db, differing, rules)
    lost = [uri for uri, (rev, cid) in ledger.items() if cid is not None and rev < car.rev and uri not in seen]
    gone = [RecordEvent(*_parts(uri, car.rev), "delete") for uri in lost if rules.part_of(split_at_uri(uri)[1])]
    deleted = 0
    for start in range(0, len(gone), BATCH):
        deleted += await _apply(db, gone[start : start + BATCH], rules)
    return Reconciled(True, car.rev, written, deleted)


async def _apply(db: Database, events: list[RecordEvent], rules: Rules) -> int:
    if not events:
        return 0
    async with db.begin() as session:
        return (await index.apply_batch(session, events, rules)).news


def _differs(event: RecordEvent, ledger: dict[AtUri, tuple[Rev, Cid | None]]) -> bool:
    known = ledger.get(event.uri)
    return known is None or (known[0] < event.rev and known[1] != event.cid)


def _take(records: Iterator[RepoRecord]) -> list[RepoRecord]:
    return list(islice(records, BATCH))


def _event(car: RepoCar, record: RepoRecord) -> RecordEvent:
    return RecordEvent(car.did, car.rev, record.collection, record.rkey, "put", record.cid, record.record)


def _parts(uri: AtUri, rev: Rev) -> tuple[Did, Rev, Nsid, RecordKey]:
    did, collection, rkey = split_at_uri(uri)
    return did, rev, collection, rkey
