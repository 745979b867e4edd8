"""a tenure: on from the saved cursor, through lost sources, with every repo doubted when events are missing."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from plyr.atproto.sync.errors import CursorTooOld, SourceLost
from plyr.db import Database
from plyr.index.service import Rules
from plyr.ingest.following import follow
from plyr.ingest.main import Ingest, run
from plyr.ingest.standing import Standing
from tests.ingest.feeding import Told, like

ANN = "did:plc:ann"


async def _until(claim: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await claim():
            await asyncio.sleep(0.02)


async def _follow_until(db: Database, rules: Rules, source: Told, claim: Callable[[], Awaitable[bool]]) -> None:
    following = asyncio.create_task(follow(db, source, rules, Standing()))
    try:
        await _until(claim)
    finally:
        following.cancel()


async def _scalar(db: Database, query: str) -> object:
    async with db.begin() as session:
        return await session.scalar(text(query))


def _has_likes(db: Database, count: int) -> Callable[[], Awaitable[bool]]:
    async def claim() -> bool:
        return await _scalar(db, "select count(*) from likes") == count

    return claim


async def test_follow_again_goes_on_after_what_was_applied(db: Database, rules: Rules) -> None:
    events = [like(ANN, number, f"song{number}") for number in range(1, 11)]
    await _follow_until(db, rules, Told(events[:6]), _has_likes(db, 6))
    later = Told(events)
    await _follow_until(db, rules, later, _has_likes(db, 10))
    assert later.asked == [6]


async def test_run_lost_source_is_asked_again_from_the_cursor(db: Database, rules: Rules) -> None:
    source = Told([like(ANN, 1, "song")], SourceLost("nobody answers"))
    running = asyncio.create_task(run(Ingest(db, source, rules, Standing())))
    try:
        await _until(_has_likes(db, 1))
    finally:
        running.cancel()
    assert source.asked == [None, None]


async def test_follow_cursor_too_old_goes_on_from_now_and_doubts_every_repo(db: Database, rules: Rules) -> None:
    await _follow_until(db, rules, Told([like(ANN, 1, "song")]), _has_likes(db, 1))
    async with db.begin() as session:
        await session.execute(text("update repos set compared_rev = 'x', next_check_at = now() + interval '1 day'"))
    source = Told([like(ANN, 1, "song"), like(ANN, 2, "other")], CursorTooOld("a week"))

    async def doubted() -> bool:
        return bool(await _scalar(db, "select compared_rev is null and next_check_at <= now() from repos"))

    await _follow_until(db, rules, source, doubted)
    assert source.asked == [1, None]


async def test_follow_more_than_fits_into_memory_waits_and_loses_nothing(db: Database, rules: Rules) -> None:
    source = Told([like(ANN, number, f"song{number}") for number in range(1, 9001)])
    await _follow_until(db, rules, source, _has_likes(db, 9000))
