"""listening: shared, in order, and honest about what may have been missed."""

import asyncio

from sqlalchemy import text

from plyr.db import Database, notify


async def _tell(db: Database, channel: str, payload: str) -> None:
    async with db.begin() as session:
        await notify(session, channel, payload)


async def _next(inbox: "asyncio.Queue[str]") -> str:
    return await asyncio.wait_for(inbox.get(), 10)


async def test_listen_two_channels_each_hears_its_own(db: Database) -> None:
    async with db.listen("one") as one, db.listen("two") as two:
        assert await _next(one) == ""
        await _tell(db, "one", "a")
        await _tell(db, "two", "b")
        await _tell(db, "one", "c")
        assert [await _next(one), await _next(one)] == ["a", "c"]
        assert await _next(two) == "b"


async def test_listen_connection_lost_is_opened_again_and_says_read_again(db: Database) -> None:
    async with db.listen("one") as inbox:
        assert await _next(inbox) == ""
        async with db.begin() as session:
            await session.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'")
            )
        assert await _next(inbox) == ""
        await _tell(db, "one", "after")
        assert await _next(inbox) == "after"


async def test_listen_inbox_full_is_emptied_and_says_read_again(db: Database) -> None:
    async with db.listen("one") as inbox:
        assert await _next(inbox) == ""
        async with db.begin() as session:
            await session.execute(text("select pg_notify('one', n::text) from generate_series(1, 2500) n"))
        await _tell(db, "one", "last")
        heard = []
        while (payload := await _next(inbox)) != "last":
            heard.append(payload)
    assert "" in heard
    assert len(heard) < 2500


async def test_listen_last_one_gone_leaves_no_connection(db: Database) -> None:
    async with db.listen("one"):
        pass
    async with asyncio.timeout(10):
        while await _listeners(db):
            await asyncio.sleep(0.05)


async def _listeners(db: Database) -> int:
    async with db.begin() as session:
        query = "select count(*) from pg_stat_activity where query ilike 'listen%' and application_name = 'tests'"
        return int((await session.execute(text(query))).scalar_one())
