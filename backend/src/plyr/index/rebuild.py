"""Making the public tables anew from the repos alone, while the live ones are read and written as ever."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from plyr.atproto.errors import AtprotoError
from plyr.atproto.lexicon.generated import Track
from plyr.atproto.sync import repos as hosts
from plyr.db import Database, Session
from plyr.db.faults import is_passing
from plyr.errors import PlyrError
from plyr.index import fresh, repo, tables
from plyr.index import service as index
from plyr.index.reconcile import BATCH, find_home, read_events
from plyr.index.resources import RepairResources
from plyr.index.service import Rules
from plyr.kit.at_uri import split_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import AtUri, Did, Rev
from plyr.kit.record_events import Changes, RecordEvent
from plyr.repos import service as repos
from plyr.tracks import service as tracks

LEAD = "index-rebuild"
_AT_ONCE = 4
# longer than any transaction of ours may be open: its changes carry the instant at which it began
_MARGIN = timedelta(minutes=10)
_LOCK_WAIT_MS = 400
_LOCK_TRIES = 60
_LEAD_WAIT_S = 5.0
_TELL_EVERY = 100

Progress = Callable[[str], None]
log = structlog.get_logger()


class RebuildRunning(PlyrError):
    """Somebody else is making the index anew right now."""

    code = "rebuild_running"
    status = 409


class SwapPutOff(PlyrError):
    """The live tables were never free for a moment, so they stay."""

    code = "swap_put_off"
    status = 503


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild came to; `unread` says why a repo could not be read: what was known of it stays."""

    repos: int = 0
    records: int = 0
    buried: int = 0
    unread: dict[Did, str] = field(default_factory=dict)


async def rebuild(resources: RepairResources, db: Database, progress: Progress) -> Rebuilt:
    """Fill fresh tables from the repos of every account we know, and put them in the place of the live ones.

    shape:  repos that cannot be read keep the rows they have; killed at any point, the live tables are as they were
    errors: RebuildRunning; SwapPutOff
    cost:   every repo once; the live tables are locked for as long as the last changes take, well under a second
    """
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(_LEAD_WAIT_S):
                lost = await stack.enter_async_context(db.lead(LEAD))
        except TimeoutError:
            raise RebuildRunning("another rebuild is under way; wait for it, or stop it first") from None
        return await _Rebuild(resources, db, progress, lost).run()


async def rebuild_repo(resources: RepairResources, did: Did) -> int:
    """Make what the index shows of one repo anew, in one transaction; return how many records it holds.

    errors: RepoUnavailable, and whatever the network says: then nothing has changed
    cost:   the repo once; memory for its records
    """
    rules = Rules(resources.settings.atproto_namespace, resources.lexicons)
    home = await find_home(resources, did)
    async with hosts.fetch_repo(resources.http, home, did) as car:
        events = [event async for chunk in read_events(car, rules) for event in chunk]
    async with resources.db.begin() as session:
        await repos.note_home(session, did, home)
        lost = await _lost(session, car.did, car.rev, {event.uri for event in events}, rules)
        await index.apply_batch(session, lost, rules)
        await tables.forget_repo(session, did, car.rev)
        for start in range(0, len(events), BATCH):
            await index.apply_batch(session, events[start : start + BATCH], rules)
        await tables.recount_changed(session)
        await repos.note_compared(session, did, car.rev)
    return len(events)


class _Rebuild:
    """One rebuild of everything, from empty tables to the swap."""

    def __init__(self, resources: RepairResources, db: Database, progress: Progress, lost: asyncio.Event) -> None:
        self._resources, self._db = resources, db
        self._progress, self._lost = progress, lost
        self._rules = Rules(resources.settings.atproto_namespace, resources.lexicons)
        self._done = Rebuilt()

    async def run(self) -> Rebuilt:
        started_at = utc_now()
        async with self._db.begin() as session:
            await fresh.begin(session)
        async with self._db.begin() as session:
            await tables.know_all_repos(session)
        await self._read_all()
        self._progress("carrying over what happened meanwhile, and counting")
        carried_at = utc_now()
        async with self._db.begin() as session:
            await fresh.carry_over(session, None)
            await fresh.recount(session)
        log.info("rebuild_read", repos=self._done.repos, unread=len(self._done.unread), since=str(started_at))
        await self._swap(carried_at - _MARGIN)
        async with self._db.begin() as session:
            await fresh.clear_away(session)
        self._progress("the index stands on its new tables")
        return self._done

    async def _read_all(self) -> None:
        waiting: asyncio.Queue[Did] = asyncio.Queue(_AT_ONCE * 2)

        async def read() -> None:
            while True:
                did = await waiting.get()
                await self._read(did)
                waiting.task_done()

        readers = [asyncio.create_task(read()) for _ in range(_AT_ONCE)]
        try:
            async for known in repos.list_all(self._db):
                if known.status != "deleted":
                    await _first_of(waiting.put(known.did), readers)
            await _first_of(waiting.join(), readers)
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _read(self, did: Did) -> None:
        if self._lost.is_set():
            raise RebuildRunning("the lock on rebuilding was lost; nothing was changed, start again")
        try:
            home = await find_home(self._resources, did)
            async with hosts.fetch_repo(self._resources.http, home, did) as car:
                async for events in read_events(car, self._rules):
                    await self._fold(events)
                async with self._db.begin() as session:
                    await fresh.note_read(session, did, car.rev)
            self._done.repos += 1
        except AtprotoError as error:
            self._done.unread[did] = error.detail
            self._progress(f"{did} could not be read, what we know of it stays: {error.detail}")
        if self._done.repos and self._done.repos % _TELL_EVERY == 0:
            self._progress(f"{self._done.repos} repos, {self._done.records} records")

    async def _fold(self, events: list[RecordEvent]) -> None:
        async with self._db.begin() as session:
            await fresh.enter(session)
            await index.apply_batch(session, events, self._rules)
        self._done.records += len(events)

    async def _swap(self, since: datetime) -> None:
        """Bring the last changes over and swap, all in one short transaction; nobody waits long for us."""
        for _ in range(_LOCK_TRIES):
            try:
                await self._swap_now(since)
            except Exception as error:
                if not is_passing(error):
                    raise
                await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - lets others pass, guards nothing
            else:
                return
        raise SwapPutOff("the live tables were busy all the time; nothing was changed, start again at a quieter hour")

    async def _swap_now(self, since: datetime) -> None:
        if self._lost.is_set():
            raise RebuildRunning("the lock on rebuilding was lost; nothing was changed, start again")
        async with self._db.begin() as session:
            await fresh.lock_live(session, _LOCK_WAIT_MS)
            await fresh.carry_over(session, since)
            buried = await fresh.bury_lost(session)
            await tables.recount_changed(session, fresh.FRESH)
            await fresh.swap(session)
            gone = [uri for uri in buried if self._rules.part_of(split_at_uri(uri)[1]) == Track.collection]
            await tracks.fold(session, Changes(deleted=gone))
        self._done.buried = len(buried)


async def _lost(session: Session, did: Did, rev: Rev, held: set[AtUri], rules: Rules) -> list[RecordEvent]:
    ledger = await repo.list_of_repo(session, did)
    gone = [uri for uri, (known, cid) in ledger.items() if cid is not None and known < rev and uri not in held]
    parts = [split_at_uri(uri) for uri in gone]
    return [RecordEvent(did, rev, part[1], part[2], "delete") for part in parts if rules.part_of(part[1])]


async def _first_of(step: Coroutine[Any, Any, None], readers: "list[asyncio.Task[None]]") -> None:
    """Do a step, unless a reader fails first."""
    stepping = asyncio.create_task(step)
    await asyncio.wait([stepping, *readers], return_when=asyncio.FIRST_COMPLETED)
    if not stepping.done():
        stepping.cancel()
    for task in readers:
        if task.done():
            task.result()
    await stepping
