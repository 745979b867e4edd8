"""The ingest process: wait to lead, lead, and begin again, whatever happens."""

import asyncio
import contextlib
from dataclasses import dataclass

from plyr.atproto.sync.errors import SourceLost
from plyr.atproto.sync.events import Source
from plyr.cursors.errors import TakenOver
from plyr.db import Database
from plyr.index.service import Rules
from plyr.ingest.following import follow
from plyr.ingest.standing import Standing
from plyr.telemetry import ingesting as telemetry

LEADERSHIP = "ingest"
_AGAIN_S = (0.2, 1.0, 2.0, 5.0)
# long enough for a standby, which may reach a host that we do not
_STAND_BACK_S = 2.0


@dataclass(frozen=True, slots=True)
class Ingest:
    """What one ingest process works with."""

    db: Database
    source: Source
    rules: Rules
    standing: Standing


async def run(ingest: Ingest) -> None:
    """For ever: stand by, lead when nobody does, stand back when the lock is lost."""
    failures = 0
    while True:
        ingest.standing.stand_by()
        try:
            async with ingest.db.lead(LEADERSHIP) as lost:
                failures = 0
                await _lead_until(lost, ingest)
        except Exception as error:
            # the edge of the process: nothing that one tenure ran into may end the next
            if isinstance(error, TakenOver):
                telemetry.stands_by(error.detail)
            elif isinstance(error, SourceLost):
                ingest.standing.trouble = telemetry.interrupted("source", error)
                await asyncio.sleep(_STAND_BACK_S)
            else:
                ingest.standing.trouble = telemetry.interrupted("leadership", error)
        await asyncio.sleep(_AGAIN_S[min(failures, len(_AGAIN_S) - 1)])
        failures += 1


async def _lead_until(lost: asyncio.Event, ingest: Ingest) -> None:
    following = asyncio.create_task(
        follow(ingest.db, ingest.source, ingest.rules, ingest.standing), name="ingest-follow"
    )
    watching = asyncio.create_task(lost.wait(), name="ingest-watch")
    try:
        await asyncio.wait({following, watching}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            await following
        telemetry.stands_by("the lock was lost")
    finally:
        for task in (following, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
