"""a batch and its cursor are one transaction; what cannot be applied is passed by and recorded."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from plyr.atproto.sync.events import Commit, IdentityChanged, RepoEvent, StreamEvent
from plyr.cursors import service as cursors
from plyr.cursors.errors import TakenOver
from plyr.db import Database
from plyr.index.service import Rules
from plyr.ingest.applying import Applier
from plyr.ingest.standing import Standing
from plyr.kit.ids import Did
from tests.ingest.feeding import comment, like, put

ANN, BEN = "did:plc:ann", "did:plc:ben"


def _numbered(*events: RepoEvent) -> list[StreamEvent]:
    return [StreamEvent(number, event) for number, event in enumerate(events, 1)]


async def _applier(db: Database, rules: Rules) -> Applier:
    async with db.begin() as session:
        place = await cursors.take_over(session, "told")
    return Applier(db, rules, place, Standing())


async def _scalar(db: Database, query: str) -> object:
    async with db.begin() as session:
        return await session.scalar(text(query))


async def test_apply_batch_moves_the_cursor_with_it(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    await applier.apply(_numbered(like(ANN, 1, "song"), like(BEN, 2, "song")))
    assert await _scalar(db, "select people from like_counts") == 2
    assert await _scalar(db, "select cursor from ingest_cursors") == 2
    assert applier.place.cursor == 2


async def test_apply_after_another_took_over_changes_nothing(db: Database, rules: Rules) -> None:
    former = await _applier(db, rules)
    await former.apply(_numbered(like(ANN, 1, "song")))
    present = await _applier(db, rules)
    assert present.place.cursor == 1
    with pytest.raises(TakenOver):
        await former.apply([StreamEvent(2, like(BEN, 2, "song"))])
    assert await _scalar(db, "select count(*) from likes") == 1
    assert await _scalar(db, "select cursor from ingest_cursors") == 1


async def test_apply_poison_among_others_is_recorded_and_passed_by(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    events = [like(ANN, number, f"song{number}") for number in range(1, 30)]
    poison = comment(BEN, 30, "no database stores \0 in a text")
    await applier.apply(_numbered(*events[:13], poison, *events[13:]))
    assert await _scalar(db, "select count(*) from likes") == len(events)
    assert await _scalar(db, "select count(*) from comments") == 0
    assert "failed" in str(await _scalar(db, f"select rejected from records where did = '{BEN}'"))
    assert await _scalar(db, "select cursor from ingest_cursors") == 30


async def test_apply_poison_in_a_commit_of_several_leaves_the_others(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    good, bad = comment(BEN, 1, "fine"), comment(BEN, 2, "not \0 fine")
    both = replace(good, ops=good.ops + bad.ops)
    await applier.apply(_numbered(both))
    assert await _scalar(db, "select text from comments") == "fine"
    assert await _scalar(db, "select count(*) from records where rejected is not null") == 1


async def test_apply_poison_in_the_address_itself_is_passed_by(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    await applier.apply(_numbered(put("did:plc:\0", 1, "like", "k\0", {}), like(ANN, 2, "song")))
    assert await _scalar(db, "select count(*) from likes") == 1
    assert await _scalar(db, "select count(*) from records") == 1
    assert applier.place.cursor == 2


async def test_apply_record_its_lexicon_refuses_shows_nowhere_and_says_why(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    await applier.apply(_numbered(put(ANN, 1, "like", "3kaaaaaaaaaaa", {"createdAt": "yesterday"})))
    assert str(await _scalar(db, "select rejected from records")).startswith("invalid")
    assert await _scalar(db, "select count(*) from likes") == 0


async def test_apply_database_gone_for_a_moment_loses_nothing(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    mine = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> "
    applying = asyncio.create_task(
        applier.apply(_numbered(*(like(ANN, number, f"song{number}") for number in range(1, 3001))))
    )
    for _ in range(3):
        await asyncio.sleep(0.1)
        other = Database(db.engine.url.render_as_string(hide_password=False).replace("+asyncpg", ""), pool_size=1)
        async with other.begin() as session:
            await session.execute(text(mine + "pg_backend_pid()"))
        await other.close()
    await applying
    assert await _scalar(db, "select count(*) from likes") == 3000
    assert await _scalar(db, "select cursor from ingest_cursors") == 3000


async def test_apply_table_that_is_not_there_waits_and_rejects_nothing(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    async with db.begin() as session:
        await session.execute(text("alter table likes rename to likes_away"))
    applying = asyncio.create_task(applier.apply(_numbered(like(ANN, 1, "song"))))
    await asyncio.sleep(0.3)
    async with db.begin() as session:
        await session.execute(text("alter table likes_away rename to likes"))
    await asyncio.wait_for(applying, 10)
    assert await _scalar(db, "select count(*) from likes") == 1
    assert await _scalar(db, "select count(*) from records where rejected is not null") == 0


async def test_apply_hints_and_empty_commits_move_the_cursor(db: Database, rules: Rules) -> None:
    applier = await _applier(db, rules)
    empty = Commit(Did(ANN), like(ANN, 2, "x").rev, (), None)
    await applier.apply(_numbered(IdentityChanged(Did(ANN), None), empty))
    assert await _scalar(db, "select cursor from ingest_cursors") == 2
