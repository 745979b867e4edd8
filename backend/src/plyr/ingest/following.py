"""A tenure of leadership: read from the source, apply, until somebody else leads."""

import asyncio
import contextlib
from dataclasses import replace

from plyr.atproto.sync.errors import CursorTooOld
from plyr.atproto.sync.events import Source
from plyr.cursors import service as cursors
from plyr.db import Database
from plyr.index.service import Rules
from plyr.ingest.applying import MOST_AT_ONCE, Applier
from plyr.ingest.buffer import Buffer, begun_at
from plyr.ingest.standing import Standing
from plyr.telemetry import ingesting as telemetry

_LOOK_EVERY_S = 1.0
_RECONNECT_S = 0.5


async def follow(db: Database, source: Source, rules: Rules, standing: Standing) -> None:
    """Follow a source as its leader, for ever.

    shape:  goes on from where the last leader's last transaction ended; where events are missing (no cursor yet, or
            one too old for the source) every repo we know is reconciled, once the stream is open
    errors: TakenOver; SourceLost when no host answers from here; whatever Postgres says on taking over
    """
    async with db.begin() as session:
        place = await cursors.take_over(session, source.name)
    telemetry.took_over(place.source, place.epoch, place.cursor)
    standing.lead(source.connected)
    applier = Applier(db, rules, place, standing)
    has_gap = place.cursor is None
    while True:
        try:
            await _stream(source, applier, standing, has_gap=has_gap)
        except CursorTooOld as error:
            telemetry.gap_found(source.name, error.detail)
            applier.place, has_gap = replace(applier.place, cursor=None), True
        await asyncio.sleep(_RECONNECT_S)


async def _stream(source: Source, applier: Applier, standing: Standing, *, has_gap: bool) -> None:
    """Apply what one stream says until it breaks. errors: those of the source, TakenOver."""
    buffer = Buffer()
    reader = asyncio.create_task(_read(source, applier.place.cursor, buffer), name="ingest-read")
    try:
        while not (reader.done() and not buffer):
            events = await buffer.take(MOST_AT_ONCE, _LOOK_EVERY_S)
            if has_gap and source.connected.is_set():
                await applier.ask_for_reconciliation()
                has_gap = False
            if events:
                standing.applying(begun_at(events), len(buffer))
                await applier.apply(events)
                telemetry.batch_applied(len(events), standing.applied())
        await reader
    finally:
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await reader


async def _read(source: Source, cursor: int | None, buffer: Buffer) -> None:
    try:
        async with contextlib.aclosing(source.stream(cursor)) as events:
            async for event in events:
                await buffer.put(event)
    finally:
        buffer.close()
