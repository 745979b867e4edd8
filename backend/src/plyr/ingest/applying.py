"""From the buffer into the index: a batch, and the cursor that stands for it, in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from plyr.atproto.sync.events import Commit, RecordOp, StreamEvent
from plyr.cursors import service as cursors
from plyr.cursors.errors import TakenOver
from plyr.cursors.views import Place
from plyr.db import Database
from plyr.db.faults import is_passing
from plyr.index import intake
from plyr.index import service as index
from plyr.index.service import Applied, Rules
from plyr.ingest.standing import Standing
from plyr.kit.record_events import RecordEvent
from plyr.repos import service as repos
from plyr.telemetry import ingesting as telemetry

MOST_AT_ONCE = 1000
_WAITS_S = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0)


class Applier:
    """Applies events for one tenure of leadership; `place` is how far it is.

    shape:  an event nobody can apply is found by halving its batch, recorded as rejected, and passed by; while the
            database is away the same events are tried again, in smaller batches
    """

    def __init__(self, db: Database, rules: Rules, place: Place, standing: Standing) -> None:
        self.place = place
        self._db = db
        self._rules = rules
        self._standing = standing
        self._at_once = MOST_AT_ONCE

    async def apply(self, events: Sequence[StreamEvent]) -> None:
        """Apply events, however long the database takes to come back. errors: TakenOver, with the rest not applied."""
        done, failures = 0, 0
        while done < len(events):
            batch = events[done : done + self._at_once]
            try:
                await self._apply(batch)
            except Exception as error:
                if isinstance(error, TakenOver) or not is_passing(error):
                    raise
                self._at_once = max(1, len(batch) // 2)
                self._standing.trouble = telemetry.interrupted("database", error)
                await asyncio.sleep(_WAITS_S[min(failures, len(_WAITS_S) - 1)])
                failures += 1
            else:
                done, failures = done + len(batch), 0
                self._at_once = min(MOST_AT_ONCE, self._at_once * 2)

    async def ask_for_reconciliation(self) -> None:
        """Have every repo we know compared with what was applied: events are missing between our cursor and now."""
        async with self._db.begin() as session:
            await cursors.move(session, self.place, self.place.cursor)
            await repos.distrust_all(session)
        telemetry.reconciliation_wanted()

    async def _apply(self, batch: Sequence[StreamEvent]) -> None:
        try:
            await self._together(batch)
        except Exception as error:
            if isinstance(error, TakenOver) or is_passing(error):
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._apply(batch[:middle])
                await self._apply(batch[middle:])
            else:
                await self._without_the_bad_part(batch[0], error)

    async def _together(self, batch: Sequence[StreamEvent]) -> None:
        async with self._db.begin() as session:
            place = await cursors.move(session, self.place, batch[-1].cursor)
            applied = await intake.take(session, batch, self._rules)
        self.place = place
        _count(len(batch), applied)

    async def _without_the_bad_part(self, event: StreamEvent, error: Exception) -> None:
        """Apply a commit record by record; what fails alone is what is recorded."""
        commit = event.event
        if not isinstance(commit, Commit) or not commit.ops:
            telemetry.event_passed_by(event.cursor, f"{type(commit).__name__} {commit.did}", error)
            await self._move_to(event)
            return
        for op in commit.ops:
            if len(commit.ops) > 1:
                await self._apply([replace(event, event=replace(commit, ops=(op,)))])
            else:
                await self._reject(event, commit, op, error)

    async def _reject(self, event: StreamEvent, commit: Commit, op: RecordOp, error: Exception) -> None:
        record = RecordEvent(commit.did, commit.rev, op.collection, op.rkey, op.action, op.cid, op.record)
        telemetry.event_passed_by(event.cursor, record.uri, error)
        try:
            async with self._db.begin() as session:
                place = await cursors.move(session, self.place, event.cursor)
                applied = await index.reject(session, record, telemetry.reason_of(error), self._rules)
        except Exception as again:
            if isinstance(again, TakenOver) or is_passing(again):
                raise
            await self._move_to(event)  # not even its address can be stored: the log line is its trace
        else:
            self.place = place
            _count(1, applied)

    async def _move_to(self, event: StreamEvent) -> None:
        async with self._db.begin() as session:
            self.place = await cursors.move(session, self.place, event.cursor)


def _count(events: int, applied: Applied) -> None:
    telemetry.events_applied(events, applied.news, applied.stale, applied.foreign, applied.rejected)
